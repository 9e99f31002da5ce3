-- What few readers ask for is a join or a subquery, which costs nothing where it is not asked for.
CREATE VIEW hpo.trials AS
SELECT study_name AS study, attempt.number, family, trials.state::text AS state,
    CASE WHEN value BETWEEN 0 AND 1 THEN value END AS score,
    CASE WHEN result.trial_id IS NOT NULL THEN result.epoch ELSE (
        SELECT max(step) FROM public.trial_intermediate_values AS reported
        WHERE reported.trial_id = attempt.trial_id
    ) END AS epoch, result.epochs, seconds, parameter_count, folds.scores AS fold_scores,
    folds.epochs AS fold_epochs, folds.best_epochs AS fold_best_epochs, optimizer, learning_rate,
    schedule, weight_decay, label_smoothing, batch_size, class_weights, averaging, augmentation,
    standardise, activation, dropout, units, kernel_size, filters, pool_size, pooling, params,
    config, config_hash, replicate, seed, place IS NOT NULL AS in_force, attempt.attempt,
    CASE WHEN attempt.attempt > 1 THEN (
        SELECT earlier.number FROM hpo.attempt AS earlier
        WHERE earlier.configuration_id = attempt.configuration_id
            AND earlier.attempt = attempt.attempt - 1
    ) END AS retry_of, repeats_avoided, attempt.worker, program, processor, heartbeat_at, failure,
    reason, source_number, recipe, configuration.epochs AS most_epochs, patience, start_epoch,
    CASE WHEN datetime_start BETWEEN '1970-01-01' AND '2200-01-01'
        THEN datetime_start AT TIME ZONE 'UTC' END AS started_at,
    CASE WHEN datetime_complete BETWEEN '1970-01-01' AND '2200-01-01'
        THEN datetime_complete AT TIME ZONE 'UTC' END AS finished_at,
    attempt.configuration_id, attempt.trial_id
FROM hpo.attempt JOIN hpo.configuration USING (configuration_id) JOIN public.trials USING (trial_id)
JOIN public.studies ON studies.study_id = attempt.study_id LEFT JOIN hpo.worker USING (worker)
LEFT JOIN hpo.result ON result.trial_id = attempt.trial_id
LEFT JOIN public.trial_values AS told ON told.trial_id = attempt.trial_id AND objective = 0
LEFT JOIN LATERAL (
    SELECT array_agg(score ORDER BY fold) AS scores, array_agg(epochs ORDER BY fold) AS epochs,
        array_agg(best_epoch ORDER BY fold) AS best_epochs
    FROM hpo.fold WHERE fold.trial_id = result.trial_id
) AS folds ON true;

-- Pruned trials carry a score too, of fewer epochs, and are left out. Slim rows are ranked.
CREATE VIEW hpo.leaderboard AS
SELECT study, ranked.family, rank, number, score, sd, standard_error, folds, behind,
    behind <= best_error AS near_best, parameter_count, ranked.epochs, seconds, params, config,
    config_hash
FROM (
    SELECT study, family, number, score, configuration_id, parameter_count, epochs, seconds, sd,
        folds, sd / sqrt(folds) AS standard_error, rank() OVER best AS rank,
        first_value(score) OVER best - score AS behind,
        first_value(sd / sqrt(folds)) OVER numbered AS best_error
    FROM hpo.trials LEFT JOIN (
        SELECT trial_id, stddev_samp(score) AS sd, count(*) AS folds FROM hpo.fold GROUP BY trial_id
    ) AS spread USING (trial_id)
    WHERE state = 'COMPLETE' AND score IS NOT NULL AND in_force
    WINDOW best AS (PARTITION BY study, family ORDER BY score DESC),
        numbered AS (PARTITION BY study, family ORDER BY score DESC, number)
) AS ranked JOIN hpo.configuration USING (configuration_id);
