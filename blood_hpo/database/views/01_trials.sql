-- One row an attempt at a configuration, which Optuna calls a trial, and the order of the complete ones.
-- Trials of other programs have no attempt and are left out. What few readers ask for is a subquery
-- of its own, which costs nothing where it is not asked for: the other views are built on this one. Words that mean the same in every view are
-- described in the last of these files.

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
    configuration.repeats_avoided, attempt.worker, attempt.heartbeat_at, attempt.failure, attempt.reason,
    configuration.source_number, configuration.recipe, configuration.epochs AS most_epochs,
    configuration.patience, configuration.start_epoch,
    trials.datetime_start AT TIME ZONE 'UTC' AS started_at,
    trials.datetime_complete AT TIME ZONE 'UTC' AS finished_at,
    attempt.configuration_id, attempt.trial_id
FROM hpo.attempt
JOIN hpo.configuration USING (configuration_id)
JOIN public.trials USING (trial_id)
JOIN public.studies ON studies.study_id = attempt.study_id
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
COMMENT ON VIEW hpo.trials IS 'One row a trial: an attempt at training one configuration on all folds, or of a stage again.';
COMMENT ON COLUMN hpo.trials.state IS 'WAITING, RUNNING, COMPLETE, PRUNED or FAIL; complete and pruned trials spend budget.';
COMMENT ON COLUMN hpo.trials.score IS 'Mean of the objective over the held-out folds; of a pruned trial, when it was stopped; of a retraining, on the validation split.';
COMMENT ON COLUMN hpo.trials.fold_scores IS 'List of the objective on each held-out fold; hpo.fold_scores has a row for each.';
COMMENT ON COLUMN hpo.trials.fold_epochs IS 'List of the epochs that each fold was trained for.';
COMMENT ON COLUMN hpo.trials.fold_best_epochs IS 'List of the epochs whose weights early stopping restored, one a fold, from 1.';
COMMENT ON COLUMN hpo.trials.optimizer IS 'Optimizer.';
COMMENT ON COLUMN hpo.trials.learning_rate IS 'Learning rate, of a schedule its highest; null is the library''s default of the optimizer.';
COMMENT ON COLUMN hpo.trials.schedule IS 'How the learning rate changes: constant, cosine or one_cycle.';
COMMENT ON COLUMN hpo.trials.weight_decay IS 'Weight decay; null is the library''s default of the optimizer.';
COMMENT ON COLUMN hpo.trials.label_smoothing IS 'Share of the target spread over all classes, 0 to 1.';
COMMENT ON COLUMN hpo.trials.batch_size IS 'Images a step.';
COMMENT ON COLUMN hpo.trials.class_weights IS 'Weights of the classes in the loss: none or balanced.';
COMMENT ON COLUMN hpo.trials.averaging IS 'Decay of the moving average of the weights, 0 to 1; 0 is none.';
COMMENT ON COLUMN hpo.trials.augmentation IS 'Random transforms of training images.';
COMMENT ON COLUMN hpo.trials.standardise IS 'Whether inputs have mean 0 and deviation 1 per channel.';
COMMENT ON COLUMN hpo.trials.activation IS 'Activation function of hidden layers.';
COMMENT ON COLUMN hpo.trials.dropout IS 'Share of hidden units dropped in training, 0 to 1.';
COMMENT ON COLUMN hpo.trials.units IS 'MLP: hidden units.';
COMMENT ON COLUMN hpo.trials.pool_size IS 'CNN: height and width of the pooling window in pixels, or global for the whole image.';
COMMENT ON COLUMN hpo.trials.pooling IS 'CNN: max or mean.';
COMMENT ON COLUMN hpo.trials.replicate IS 'Number of the training of its configuration, from 1: of a confirmation the split, of the final stage the seed.';
COMMENT ON COLUMN hpo.trials.seed IS 'Seed of the training.';
COMMENT ON COLUMN hpo.trials.retry_of IS 'Number of the attempt before, where this is a later one.';
COMMENT ON COLUMN hpo.trials.repeats_avoided IS 'Configurations that the sampler drew before this one and dropped because they had been tried.';
COMMENT ON COLUMN hpo.trials.heartbeat_at IS 'When its worker was last heard of, by the server''s clock.';
COMMENT ON COLUMN hpo.trials.failure IS 'error, or lost with its worker; null unless it failed.';
COMMENT ON COLUMN hpo.trials.most_epochs IS 'Of a retraining: most epochs that it may take.';
COMMENT ON COLUMN hpo.trials.patience IS 'Of a retraining: epochs without a better score after which it ends.';
COMMENT ON COLUMN hpo.trials.start_epoch IS 'Of a retraining: epoch from which on that counts.';
COMMENT ON COLUMN hpo.trials.configuration_id IS 'Key of the configuration''s training: equal for attempts at the same.';
COMMENT ON COLUMN hpo.trials.trial_id IS 'Optuna''s key of the trial.';

-- Pruned trials carry a score too, of fewer epochs, and are left out. Slim rows are ranked, and what
-- is wide joined to them.
CREATE VIEW hpo.leaderboard AS
SELECT
    ranked.study, ranked.family, ranked.rank, ranked.number, ranked.score, ranked.sd,
    ranked.standard_error, ranked.folds, ranked.behind,
    ranked.behind <= ranked.best_error AS near_best, ranked.parameter_count, ranked.epochs,
    ranked.seconds, configuration.params, configuration.config, configuration.config_hash
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
COMMENT ON VIEW hpo.leaderboard IS 'One row a complete trial, best of its family first, with its spread over the folds.';
COMMENT ON COLUMN hpo.leaderboard.rank IS 'Place in the family, from 1; equal scores share a place.';
COMMENT ON COLUMN hpo.leaderboard.sd IS 'Sample standard deviation of the objective over the folds.';
COMMENT ON COLUMN hpo.leaderboard.standard_error IS 'sd divided by the root of folds. Folds share training images, so take it as a lower bound.';
COMMENT ON COLUMN hpo.leaderboard.folds IS 'Folds scored.';
COMMENT ON COLUMN hpo.leaderboard.behind IS 'Score of the best of the family less this score.';
COMMENT ON COLUMN hpo.leaderboard.near_best IS 'Whether it is within one standard error of the best: at most the best''s standard_error behind.';
