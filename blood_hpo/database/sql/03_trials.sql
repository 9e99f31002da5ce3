-- One row a trial, with its parameters decoded and its attributes as columns.
-- What few readers ask for is a subquery of its own, which costs nothing when it is not asked for;
-- nor does an attribute. A key is unique in a trial: max() takes the one value there is.

CREATE VIEW hpo.trials AS
SELECT
    studies.study_name AS study,
    trials.number,
    coalesce(
        attributes.family,
        (
            SELECT hpo.parse(value_json) ->> 'model'
            FROM public.trial_system_attributes
            WHERE trial_system_attributes.trial_id = trials.trial_id AND key = 'fixed_params'
        )
    ) AS family,
    trials.state::text AS state,
    CASE told.value_type
        WHEN 'FINITE' THEN told.value
        WHEN 'INF_POS' THEN 'Infinity'
        WHEN 'INF_NEG' THEN '-Infinity'
    END AS score,
    (
        SELECT max(step)
        FROM public.trial_intermediate_values
        WHERE trial_intermediate_values.trial_id = trials.trial_id
    ) AS epoch,
    attributes.epochs_trained::integer AS epochs_trained,
    attributes.seconds::double precision AS seconds,
    attributes.parameter_count::bigint AS parameter_count,
    attributes.fold_scores,
    attributes.fold_epochs,
    attributes.fold_best_epochs,
    attributes.config ->> 'optimizer' AS optimizer,
    (attributes.config ->> 'learning_rate')::double precision AS learning_rate,
    attributes.config ->> 'schedule' AS schedule,
    (attributes.config ->> 'weight_decay')::double precision AS weight_decay,
    (attributes.config ->> 'label_smoothing')::double precision AS label_smoothing,
    (attributes.config ->> 'batch_size')::integer AS batch_size,
    attributes.config ->> 'class_weights' AS class_weights,
    attributes.config ->> 'augmentation' AS augmentation,
    (attributes.config ->> 'standardise')::boolean AS standardise,
    attributes.config ->> 'activation' AS activation,
    (attributes.config ->> 'dropout')::double precision AS dropout,
    (attributes.config ->> 'units')::integer AS units,
    (attributes.config ->> 'kernel_size')::integer AS kernel_size,
    (attributes.config ->> 'filters')::integer AS filters,
    attributes.config ->> 'pool_size' AS pool_size,
    attributes.config ->> 'pooling' AS pooling,
    (
        SELECT json_object_agg(param_name, hpo.decode(param_value, distribution_json))::jsonb
        FROM public.trial_params
        WHERE trial_params.trial_id = trials.trial_id
    ) AS params,
    attributes.config,
    attributes.config_hash,
    attributes.seed::bigint AS seed,
    attributes.attempt::integer AS attempt,
    hpo.scalar(origin.value_json)::integer AS retry_of,
    attributes.repeats_avoided::integer AS repeats_avoided,
    attributes.worker,
    attributes.reason,
    trials.datetime_start AT TIME ZONE 'UTC' AS started_at,
    trials.datetime_complete AT TIME ZONE 'UTC' AS finished_at
FROM public.trials
JOIN public.studies USING (study_id)
LEFT JOIN public.trial_values AS told ON told.trial_id = trials.trial_id AND told.objective = 0
LEFT JOIN public.trial_system_attributes AS origin
    ON origin.trial_id = trials.trial_id AND origin.key = 'failed_trial'
LEFT JOIN LATERAL (
    SELECT
        hpo.scalar(max(value_json) FILTER (WHERE key = 'family')) AS family,
        hpo.scalar(max(value_json) FILTER (WHERE key = 'epochs_trained')) AS epochs_trained,
        hpo.scalar(max(value_json) FILTER (WHERE key = 'seconds')) AS seconds,
        hpo.scalar(max(value_json) FILTER (WHERE key = 'parameter_count')) AS parameter_count,
        hpo.parse(max(value_json) FILTER (WHERE key = 'fold_scores')) AS fold_scores,
        hpo.parse(max(value_json) FILTER (WHERE key = 'fold_epochs')) AS fold_epochs,
        hpo.parse(max(value_json) FILTER (WHERE key = 'fold_best_epochs')) AS fold_best_epochs,
        hpo.parse(max(value_json) FILTER (WHERE key = 'config')) AS config,
        hpo.scalar(max(value_json) FILTER (WHERE key = 'config_hash')) AS config_hash,
        hpo.scalar(max(value_json) FILTER (WHERE key = 'seed')) AS seed,
        hpo.scalar(max(value_json) FILTER (WHERE key = 'attempt')) AS attempt,
        hpo.scalar(max(value_json) FILTER (WHERE key = 'repeats_avoided')) AS repeats_avoided,
        hpo.scalar(max(value_json) FILTER (WHERE key = 'worker')) AS worker,
        hpo.scalar(max(value_json) FILTER (WHERE key = 'reason')) AS reason
    FROM public.trial_user_attributes
    WHERE trial_user_attributes.trial_id = trials.trial_id
) AS attributes ON true;

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
COMMENT ON COLUMN hpo.trials.repeats_avoided IS 'Configurations that the sampler drew for this trial and dropped because they had been tried; null where nobody counted.';
COMMENT ON COLUMN hpo.trials.worker IS 'Worker that holds or held the trial: host, process and start.';
COMMENT ON COLUMN hpo.trials.reason IS 'Why the trial was pruned or failed.';
COMMENT ON COLUMN hpo.trials.started_at IS 'When training began.';
COMMENT ON COLUMN hpo.trials.finished_at IS 'When the trial ended.';
