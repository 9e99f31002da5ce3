-- One row a trial, with its parameters decoded and its attributes as columns.
-- What few readers ask for is a subquery of its own, which costs nothing when it is not asked for.

CREATE VIEW hpo.trials AS
SELECT
    studies.study_name AS study,
    trials.number,
    coalesce(attributes.value ->> 'family', fixed.params ->> 'model') AS family,
    trials.state::text AS state,
    (
        SELECT CASE value_type
            WHEN 'FINITE' THEN value
            WHEN 'INF_POS' THEN 'Infinity'
            WHEN 'INF_NEG' THEN '-Infinity'
        END
        FROM public.trial_values
        WHERE trial_values.trial_id = trials.trial_id AND objective = 0
    ) AS score,
    (
        SELECT max(step)
        FROM public.trial_intermediate_values
        WHERE trial_intermediate_values.trial_id = trials.trial_id
    ) AS epoch,
    (attributes.value ->> 'epochs_trained')::integer AS epochs_trained,
    (attributes.value ->> 'seconds')::double precision AS seconds,
    (attributes.value ->> 'parameter_count')::bigint AS parameter_count,
    attributes.value -> 'fold_scores' AS fold_scores,
    attributes.value -> 'fold_epochs' AS fold_epochs,
    attributes.value -> 'fold_best_epochs' AS fold_best_epochs,
    attributes.value -> 'config' ->> 'optimizer' AS optimizer,
    (attributes.value -> 'config' ->> 'learning_rate')::double precision AS learning_rate,
    attributes.value -> 'config' ->> 'schedule' AS schedule,
    (attributes.value -> 'config' ->> 'weight_decay')::double precision AS weight_decay,
    (attributes.value -> 'config' ->> 'label_smoothing')::double precision AS label_smoothing,
    (attributes.value -> 'config' ->> 'batch_size')::integer AS batch_size,
    attributes.value -> 'config' ->> 'class_weights' AS class_weights,
    attributes.value -> 'config' ->> 'augmentation' AS augmentation,
    (attributes.value -> 'config' ->> 'standardise')::boolean AS standardise,
    attributes.value -> 'config' ->> 'activation' AS activation,
    (attributes.value -> 'config' ->> 'dropout')::double precision AS dropout,
    (attributes.value -> 'config' ->> 'units')::integer AS units,
    (attributes.value -> 'config' ->> 'kernel_size')::integer AS kernel_size,
    (attributes.value -> 'config' ->> 'filters')::integer AS filters,
    attributes.value -> 'config' ->> 'pool_size' AS pool_size,
    attributes.value -> 'config' ->> 'pooling' AS pooling,
    (
        SELECT jsonb_object_agg(param_name, hpo.decode(param_value, distribution_json))
        FROM public.trial_params
        WHERE trial_params.trial_id = trials.trial_id
    ) AS params,
    attributes.value -> 'config' AS config,
    attributes.value ->> 'config_hash' AS config_hash,
    (attributes.value ->> 'seed')::bigint AS seed,
    (attributes.value ->> 'attempt')::integer AS attempt,
    (
        SELECT hpo.parse(value_json)::integer
        FROM public.trial_system_attributes
        WHERE trial_system_attributes.trial_id = trials.trial_id AND key = 'failed_trial'
    ) AS retry_of,
    attributes.value ->> 'worker' AS worker,
    attributes.value ->> 'reason' AS reason,
    trials.datetime_start AT TIME ZONE 'UTC' AS started_at,
    trials.datetime_complete AT TIME ZONE 'UTC' AS finished_at
FROM public.trials
JOIN public.studies USING (study_id)
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(key, hpo.parse(value_json)) AS value
    FROM public.trial_user_attributes
    WHERE trial_user_attributes.trial_id = trials.trial_id
        AND key IN (
            'family', 'config', 'config_hash', 'seed', 'worker', 'attempt', 'fold_scores',
            'fold_epochs', 'fold_best_epochs', 'epochs_trained', 'seconds', 'parameter_count',
            'reason'
        )
) AS attributes ON true
LEFT JOIN LATERAL (
    SELECT hpo.parse(value_json) AS params
    FROM public.trial_system_attributes
    WHERE trial_system_attributes.trial_id = trials.trial_id AND key = 'fixed_params'
) AS fixed ON true;

COMMENT ON VIEW hpo.trials IS 'One row a trial: an attempt at training one configuration on all folds.';
COMMENT ON COLUMN hpo.trials.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.trials.number IS 'Number of the trial in its study, from 0.';
COMMENT ON COLUMN hpo.trials.family IS 'Model family: mlp, cnn or resnet.';
COMMENT ON COLUMN hpo.trials.state IS 'WAITING, RUNNING, COMPLETE, PRUNED or FAIL; complete and pruned trials spend budget.';
COMMENT ON COLUMN hpo.trials.score IS 'Mean of the objective over the held-out folds; of a pruned trial, when it was stopped.';
COMMENT ON COLUMN hpo.trials.epoch IS 'Last epoch that was reported, from 1.';
COMMENT ON COLUMN hpo.trials.epochs_trained IS 'Epochs trained, summed over the folds.';
COMMENT ON COLUMN hpo.trials.seconds IS 'Wall time of this attempt in seconds.';
COMMENT ON COLUMN hpo.trials.parameter_count IS 'Trainable parameters of the network.';
COMMENT ON COLUMN hpo.trials.fold_scores IS 'List of the objective on each held-out fold; hpo.fold_scores has a row for each.';
COMMENT ON COLUMN hpo.trials.fold_epochs IS 'List of the epochs that each fold was trained for.';
COMMENT ON COLUMN hpo.trials.fold_best_epochs IS 'List of the epochs whose weights early stopping restored, one a fold, from 1.';
COMMENT ON COLUMN hpo.trials.optimizer IS 'Optimizer.';
COMMENT ON COLUMN hpo.trials.learning_rate IS 'Learning rate at the start; null is the library''s default of the optimizer.';
COMMENT ON COLUMN hpo.trials.schedule IS 'How the learning rate changes: constant or cosine.';
COMMENT ON COLUMN hpo.trials.weight_decay IS 'Weight decay.';
COMMENT ON COLUMN hpo.trials.label_smoothing IS 'Share of the target taken from the true class, 0 to 1.';
COMMENT ON COLUMN hpo.trials.batch_size IS 'Images a step.';
COMMENT ON COLUMN hpo.trials.class_weights IS 'Weights of the classes in the loss: none or balanced.';
COMMENT ON COLUMN hpo.trials.augmentation IS 'Random transforms of training images.';
COMMENT ON COLUMN hpo.trials.standardise IS 'Whether inputs have mean 0 and deviation 1 per channel.';
COMMENT ON COLUMN hpo.trials.activation IS 'Activation function of hidden layers.';
COMMENT ON COLUMN hpo.trials.dropout IS 'Share of hidden units dropped in training, 0 to 1.';
COMMENT ON COLUMN hpo.trials.units IS 'MLP: hidden units.';
COMMENT ON COLUMN hpo.trials.kernel_size IS 'CNN: height and width of the kernels in pixels.';
COMMENT ON COLUMN hpo.trials.filters IS 'CNN: number of filters.';
COMMENT ON COLUMN hpo.trials.pool_size IS 'CNN: height and width of the pooling window in pixels, or global for the whole image.';
COMMENT ON COLUMN hpo.trials.pooling IS 'CNN: max or mean.';
COMMENT ON COLUMN hpo.trials.params IS 'What was searched: all parameters that Optuna suggested, decoded.';
COMMENT ON COLUMN hpo.trials.config IS 'The whole configuration: searched, fixed and default hyperparameters.';
COMMENT ON COLUMN hpo.trials.config_hash IS 'Identity of family and configuration, 16 hexadecimal digits.';
COMMENT ON COLUMN hpo.trials.seed IS 'Seed of the configuration''s training.';
COMMENT ON COLUMN hpo.trials.attempt IS 'Attempt at this configuration, from 1; more than 1 after a worker died.';
COMMENT ON COLUMN hpo.trials.retry_of IS 'Number of the first attempt, where this is a later one.';
COMMENT ON COLUMN hpo.trials.worker IS 'Worker that holds or held the trial: host, process and start.';
COMMENT ON COLUMN hpo.trials.reason IS 'Why the trial was pruned or failed.';
COMMENT ON COLUMN hpo.trials.started_at IS 'When training began.';
COMMENT ON COLUMN hpo.trials.finished_at IS 'When the trial ended.';
