-- What the final stage of a study leaves: files by name, confirmed configurations, tested models.

CREATE TABLE IF NOT EXISTS hpo.artefacts (
    study_id integer NOT NULL REFERENCES public.studies ON DELETE CASCADE,
    name text NOT NULL,
    sha256 text NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (study_id, name)
);
-- The dashboard asks for files by their content.
CREATE INDEX IF NOT EXISTS artefacts_sha256 ON hpo.artefacts (sha256);
COMMENT ON TABLE hpo.artefacts IS 'Contents of files that trials left: models, predictions. They go with their study.';
COMMENT ON COLUMN hpo.artefacts.study_id IS 'Optuna''s key of the study.';
COMMENT ON COLUMN hpo.artefacts.name IS 'Number of the trial, a slash and the name of the file.';
COMMENT ON COLUMN hpo.artefacts.sha256 IS 'SHA-256 of the content.';
COMMENT ON COLUMN hpo.artefacts.content IS 'The file.';
COMMENT ON COLUMN hpo.artefacts.created_at IS 'When it was written.';

CREATE VIEW hpo.confirmations AS
SELECT
    attributes.value ->> 'stage_of' AS study,
    family.key AS family,
    candidate.rank,
    candidate.trial AS number,
    candidate.config_hash,
    candidate.search_rank,
    candidate.search_score,
    candidate.mean,
    candidate.sd,
    candidate.low,
    candidate.high,
    candidate.behind,
    candidate.behind_low,
    candidate.behind_high,
    candidate.p_value,
    candidate.told_apart,
    candidate.scores,
    candidate.params,
    candidate.config,
    candidate.parameter_count
FROM (
    SELECT study_id, jsonb_object_agg(key, hpo.parse(value_json)) AS value
    FROM public.study_user_attributes
    WHERE key IN ('stage_of', 'confirmation')
    GROUP BY study_id
) AS attributes
CROSS JOIN LATERAL jsonb_each(attributes.value -> 'confirmation' -> 'families') AS family
CROSS JOIN LATERAL jsonb_to_recordset(family.value -> 'candidates') AS candidate (
    rank integer, trial integer, config_hash text, search_rank integer,
    search_score double precision, mean double precision, sd double precision,
    low double precision, high double precision, behind double precision,
    behind_low double precision, behind_high double precision, p_value double precision,
    told_apart boolean, scores jsonb, params jsonb, config jsonb, parameter_count bigint
);

COMMENT ON VIEW hpo.confirmations IS 'One row a configuration that was run again on fresh folds, best confirmed mean first.';
COMMENT ON COLUMN hpo.confirmations.study IS 'Name of the study that was searched.';
COMMENT ON COLUMN hpo.confirmations.family IS 'Model family.';
COMMENT ON COLUMN hpo.confirmations.rank IS 'Place in the family by confirmed mean, from 1: the winner.';
COMMENT ON COLUMN hpo.confirmations.number IS 'Number of the search''s trial that found the configuration.';
COMMENT ON COLUMN hpo.confirmations.config_hash IS 'Identity of family and configuration.';
COMMENT ON COLUMN hpo.confirmations.search_rank IS 'Place in the family by the search''s score, from 1.';
COMMENT ON COLUMN hpo.confirmations.search_score IS 'The search''s score.';
COMMENT ON COLUMN hpo.confirmations.mean IS 'Mean of the objective over all fresh folds.';
COMMENT ON COLUMN hpo.confirmations.sd IS 'Sample standard deviation over all fresh folds.';
COMMENT ON COLUMN hpo.confirmations.low IS 'Lower end of the interval of the mean.';
COMMENT ON COLUMN hpo.confirmations.high IS 'Upper end of the interval of the mean.';
COMMENT ON COLUMN hpo.confirmations.behind IS 'How far the winner is ahead, paired over the folds.';
COMMENT ON COLUMN hpo.confirmations.behind_low IS 'Lower end of the interval of that difference.';
COMMENT ON COLUMN hpo.confirmations.behind_high IS 'Upper end of the interval of that difference.';
COMMENT ON COLUMN hpo.confirmations.p_value IS 'Two-sided p-value of that difference.';
COMMENT ON COLUMN hpo.confirmations.told_apart IS 'Whether the difference to the winner is significant.';
COMMENT ON COLUMN hpo.confirmations.scores IS 'Lists of the objective on each fold, a list a split.';
COMMENT ON COLUMN hpo.confirmations.params IS 'What was searched, decoded.';
COMMENT ON COLUMN hpo.confirmations.config IS 'The whole configuration.';
COMMENT ON COLUMN hpo.confirmations.parameter_count IS 'Trainable parameters of the network.';

CREATE VIEW hpo.models AS
SELECT
    studies.value ->> 'stage_of' AS study,
    trials.number,
    trained.value ->> 'family' AS family,
    trained.value ->> 'recipe' AS recipe,
    (trained.value ->> 'replicate')::integer AS seed_number,
    (trained.value ->> 'source_trial')::integer AS source_trial,
    trained.value ->> 'config_hash' AS config_hash,
    trained.value -> 'config' AS config,
    (trained.value ->> 'parameter_count')::bigint AS parameter_count,
    (trained.value ->> 'non_trainable_count')::bigint AS non_trainable_count,
    (trained.value ->> 'epochs_trained')::integer AS epochs_trained,
    (trained.value ->> 'best_epoch')::integer AS best_epoch,
    (trained.value ->> 'seconds')::double precision AS seconds,
    (trained.value -> 'validation' ->> 'accuracy')::double precision AS validation_accuracy,
    (trained.value -> 'test' ->> 'accuracy')::double precision AS test_accuracy,
    (trained.value -> 'test' ->> 'balanced_accuracy')::double precision AS test_balanced_accuracy,
    (trained.value -> 'test' ->> 'macro_auc')::double precision AS test_macro_auc,
    (trained.value -> 'test' ->> 'log_loss')::double precision AS test_log_loss,
    (trained.value -> 'test' ->> 'errors')::integer AS test_errors,
    (trained.value -> 'test' ->> 'count')::integer AS test_count,
    (trained.value -> 'test_averaged' ->> 'accuracy')::double precision AS averaged_accuracy,
    (trained.value ->> 'test_openings')::integer AS test_openings,
    trained.value -> 'model' ->> 'sha256' AS sha256,
    EXISTS (
        SELECT FROM jsonb_array_elements(studies.value -> 'plan') AS wanted
        WHERE wanted -> 'family' = trained.value -> 'family'
            AND wanted -> 'config_hash' = trained.value -> 'config_hash'
            AND wanted -> 'rules' = trained.value -> 'rules'
            AND wanted -> 'seeds' >= trained.value -> 'replicate'
    ) AS current
FROM public.trials
JOIN (
    SELECT study_id, jsonb_object_agg(key, hpo.parse(value_json)) AS value
    FROM public.study_user_attributes
    WHERE key IN ('stage_of', 'plan')
    GROUP BY study_id
) AS studies USING (study_id)
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(key, hpo.parse(value_json)) AS value
    FROM public.trial_user_attributes
    WHERE trial_user_attributes.trial_id = trials.trial_id AND key <> 'curves'
) AS trained
WHERE trials.state = 'COMPLETE' AND studies.value ? 'plan';

COMMENT ON VIEW hpo.models IS 'One row a model that was retrained on the whole training split and tested.';
COMMENT ON COLUMN hpo.models.study IS 'Name of the study that was searched.';
COMMENT ON COLUMN hpo.models.number IS 'Number of the retraining''s trial in the study whose name ends in -final.';
COMMENT ON COLUMN hpo.models.family IS 'Model family.';
COMMENT ON COLUMN hpo.models.recipe IS 'Where the configuration is from: winner of the search, report or recommended.';
COMMENT ON COLUMN hpo.models.seed_number IS 'Number of the seed, from 1.';
COMMENT ON COLUMN hpo.models.source_trial IS 'Number of the search''s trial that found the configuration; null if it was not searched.';
COMMENT ON COLUMN hpo.models.config_hash IS 'Identity of family and configuration.';
COMMENT ON COLUMN hpo.models.config IS 'The whole configuration.';
COMMENT ON COLUMN hpo.models.parameter_count IS 'Trainable parameters of the model that was tested.';
COMMENT ON COLUMN hpo.models.non_trainable_count IS 'Its moving statistics.';
COMMENT ON COLUMN hpo.models.epochs_trained IS 'Epochs trained.';
COMMENT ON COLUMN hpo.models.best_epoch IS 'Epoch whose weights were restored, from 1.';
COMMENT ON COLUMN hpo.models.seconds IS 'Wall time of the last attempt in seconds, tests included.';
COMMENT ON COLUMN hpo.models.validation_accuracy IS 'Accuracy on the validation split.';
COMMENT ON COLUMN hpo.models.test_accuracy IS 'Accuracy on the test split.';
COMMENT ON COLUMN hpo.models.test_balanced_accuracy IS 'Mean recall of the classes on the test split.';
COMMENT ON COLUMN hpo.models.test_macro_auc IS 'Mean area under the ROC curves of the classes on the test split.';
COMMENT ON COLUMN hpo.models.test_log_loss IS 'Mean negative log-probability of the true class on the test split.';
COMMENT ON COLUMN hpo.models.test_errors IS 'Misclassified test images.';
COMMENT ON COLUMN hpo.models.test_count IS 'Test images.';
COMMENT ON COLUMN hpo.models.averaged_accuracy IS 'Accuracy on the test split of predictions averaged over the eight symmetries; null where not asked for.';
COMMENT ON COLUMN hpo.models.test_openings IS 'How often the test split was opened for it: more than once only if a worker died in between.';
COMMENT ON COLUMN hpo.models.sha256 IS 'SHA-256 of the model''s file.';
COMMENT ON COLUMN hpo.models.current IS 'Whether the study''s latest plan still asks for it.';
