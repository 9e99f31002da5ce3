-- What few readers ask for is a join or a subquery of its own, which costs nothing where it is not
-- asked for: the other views are built on this one.
CREATE VIEW hpo.trials AS
SELECT
    studies.study_name AS study, attempt.number, configuration.family, trials.state::text AS state,
    CASE told.value_type
        WHEN 'FINITE' THEN told.value WHEN 'INF_POS' THEN 'Infinity' WHEN 'INF_NEG' THEN '-Infinity'
    END AS score,
    CASE WHEN result.trial_id IS NOT NULL THEN result.epoch ELSE (
        SELECT max(step) FROM public.trial_intermediate_values AS reported
        WHERE reported.trial_id = attempt.trial_id
    ) END AS epoch,
    result.epochs, result.seconds, result.parameter_count,
    folds.scores AS fold_scores, folds.epochs AS fold_epochs, folds.best_epochs AS fold_best_epochs,
    configuration.optimizer, configuration.learning_rate, configuration.schedule,
    configuration.weight_decay, configuration.label_smoothing, configuration.batch_size,
    configuration.class_weights, configuration.averaging, configuration.augmentation,
    configuration.standardise, configuration.activation, configuration.dropout, configuration.units,
    configuration.kernel_size, configuration.filters, configuration.pool_size, configuration.pooling,
    configuration.params, configuration.config, configuration.config_hash, configuration.replicate,
    configuration.seed, configuration.place IS NOT NULL AS in_force, attempt.attempt,
    CASE WHEN attempt.attempt > 1 THEN (
        SELECT earlier.number FROM hpo.attempt AS earlier
        WHERE earlier.configuration_id = attempt.configuration_id
            AND earlier.attempt = attempt.attempt - 1
    ) END AS retry_of,
    configuration.repeats_avoided, attempt.worker, worker.program, worker.processor,
    attempt.heartbeat_at, attempt.failure, attempt.reason, configuration.source_number,
    configuration.recipe, configuration.epochs AS most_epochs, configuration.patience,
    configuration.start_epoch, trials.datetime_start AT TIME ZONE 'UTC' AS started_at,
    trials.datetime_complete AT TIME ZONE 'UTC' AS finished_at,
    attempt.configuration_id, attempt.trial_id
FROM hpo.attempt
JOIN hpo.configuration USING (configuration_id)
JOIN public.trials USING (trial_id)
JOIN public.studies ON studies.study_id = attempt.study_id
LEFT JOIN hpo.worker USING (worker)
LEFT JOIN hpo.result ON result.trial_id = attempt.trial_id
LEFT JOIN public.trial_values AS told ON told.trial_id = attempt.trial_id AND told.objective = 0
LEFT JOIN LATERAL (
    SELECT
        array_agg(score) AS scores, array_agg(epochs) AS epochs, array_agg(best_epoch) AS best_epochs
    FROM (
        SELECT score, epochs, best_epoch FROM hpo.fold
        WHERE fold.trial_id = result.trial_id ORDER BY fold.fold
    ) AS ordered
) AS folds ON true;

-- Pruned trials carry a score too, of fewer epochs, and are left out. Slim rows are ranked.
CREATE VIEW hpo.leaderboard AS
SELECT
    ranked.study, ranked.family, rank, number, score, sd, standard_error, folds, behind,
    behind <= best_error AS near_best, parameter_count, ranked.epochs, seconds,
    configuration.params, configuration.config, configuration.config_hash
FROM (
    SELECT
        study, family, number, score, configuration_id, parameter_count, epochs, seconds, sd, folds,
        sd / sqrt(folds) AS standard_error, rank() OVER best AS rank,
        first_value(score) OVER best - score AS behind,
        first_value(sd / sqrt(folds)) OVER best AS best_error
    FROM hpo.trials
    LEFT JOIN (
        SELECT trial_id, stddev_samp(score) AS sd, count(*) AS folds FROM hpo.fold GROUP BY trial_id
    ) AS spread USING (trial_id)
    WHERE state = 'COMPLETE' AND score IS NOT NULL
    WINDOW best AS (PARTITION BY study, family ORDER BY score DESC)
) AS ranked
JOIN hpo.configuration USING (configuration_id);
