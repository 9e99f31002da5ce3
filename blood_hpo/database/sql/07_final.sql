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
    candidate.separable,
    candidate.winner,
    candidate.collapsed,
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
    separable boolean, winner boolean, collapsed jsonb, scores jsonb, params jsonb, config jsonb, parameter_count bigint
);

COMMENT ON VIEW hpo.confirmations IS 'One row a configuration that was run again on fresh folds, best confirmed mean first.';
COMMENT ON COLUMN hpo.confirmations.study IS 'Name of the study that was searched.';
COMMENT ON COLUMN hpo.confirmations.family IS 'Model family.';
COMMENT ON COLUMN hpo.confirmations.rank IS 'Place in the family by confirmed mean, from 1.';
COMMENT ON COLUMN hpo.confirmations.number IS 'Number of the search''s trial that found the configuration.';
COMMENT ON COLUMN hpo.confirmations.config_hash IS 'Identity of family and configuration.';
COMMENT ON COLUMN hpo.confirmations.search_rank IS 'Place in the family by the search''s score, from 1.';
COMMENT ON COLUMN hpo.confirmations.search_score IS 'The search''s score.';
COMMENT ON COLUMN hpo.confirmations.mean IS 'Mean of the objective over all fresh folds.';
COMMENT ON COLUMN hpo.confirmations.sd IS 'Sample standard deviation over all fresh folds.';
COMMENT ON COLUMN hpo.confirmations.low IS 'Lower end of the interval of the mean; NULL with fewer than five folds in all.';
COMMENT ON COLUMN hpo.confirmations.high IS 'Upper end of the interval of the mean.';
COMMENT ON COLUMN hpo.confirmations.behind IS 'How far the best mean is ahead, paired over the folds.';
COMMENT ON COLUMN hpo.confirmations.behind_low IS 'Lower end of the simultaneous interval of that difference.';
COMMENT ON COLUMN hpo.confirmations.behind_high IS 'Upper end of the simultaneous interval of that difference.';
COMMENT ON COLUMN hpo.confirmations.p_value IS 'Two-sided p-value of that difference, adjusted for all pairs of candidates.';
COMMENT ON COLUMN hpo.confirmations.separable IS 'Whether the difference to the best mean is significant.';
COMMENT ON COLUMN hpo.confirmations.winner IS 'Whether it wins: the smallest network of those that cannot be separated from the best mean.';
COMMENT ON COLUMN hpo.confirmations.collapsed IS 'Whether each fold scored no better than chance, lists as in scores.';
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

-- Results over the seeds of a configuration. The interval is Wilson's for a share of images.
CREATE VIEW hpo.final_results AS
SELECT
    tested.study,
    tested.family,
    tested.recipe,
    tested.config_hash,
    tested.seeds,
    tested.parameter_count,
    tested.test_images,
    tested.accuracy,
    (tested.accuracy + tested.z2n / 2 - tested.reach) / (1 + tested.z2n) AS low,
    (tested.accuracy + tested.z2n / 2 + tested.reach) / (1 + tested.z2n) AS high,
    tested.sd,
    tested.least,
    tested.most,
    tested.balanced_accuracy,
    tested.macro_auc,
    tested.log_loss,
    tested.errors,
    tested.seconds
FROM (
    SELECT
        *,
        1.959964 * sqrt(accuracy * (1 - accuracy) / test_images + z2n / test_images / 4) AS reach
    FROM (
        SELECT
            study,
            family,
            recipe,
            config_hash,
            count(*) AS seeds,
            max(parameter_count) AS parameter_count,
            max(test_count) AS test_images,
            1.959964 ^ 2 / max(test_count) AS z2n,
            avg(test_accuracy) AS accuracy,
            stddev_samp(test_accuracy) AS sd,
            min(test_accuracy) AS least,
            max(test_accuracy) AS most,
            avg(test_balanced_accuracy) AS balanced_accuracy,
            avg(test_macro_auc) AS macro_auc,
            avg(test_log_loss) AS log_loss,
            avg(test_errors)::double precision AS errors,
            sum(seconds) AS seconds
        FROM hpo.models
        WHERE current
        GROUP BY study, family, recipe, config_hash
    ) AS averaged
) AS tested;

COMMENT ON VIEW hpo.final_results IS 'One row a tested configuration of the latest plan: means over its seeds, with the interval of the accuracy.';
COMMENT ON COLUMN hpo.final_results.study IS 'Name of the study that was searched.';
COMMENT ON COLUMN hpo.final_results.family IS 'Model family.';
COMMENT ON COLUMN hpo.final_results.recipe IS 'Where the configuration is from: winner of the search, report or recommended.';
COMMENT ON COLUMN hpo.final_results.config_hash IS 'Identity of family and configuration.';
COMMENT ON COLUMN hpo.final_results.seeds IS 'Models, each trained with another seed.';
COMMENT ON COLUMN hpo.final_results.parameter_count IS 'Trainable parameters.';
COMMENT ON COLUMN hpo.final_results.test_images IS 'Images of the test split.';
COMMENT ON COLUMN hpo.final_results.accuracy IS 'Mean accuracy on the test split over the seeds, 0 to 1.';
COMMENT ON COLUMN hpo.final_results.low IS 'Lower end of the 95 % interval of that accuracy on other images of the same kind (Wilson).';
COMMENT ON COLUMN hpo.final_results.high IS 'Upper end of that interval. It says nothing of other seeds: sd does.';
COMMENT ON COLUMN hpo.final_results.sd IS 'Sample standard deviation of the accuracy over the seeds; null for one.';
COMMENT ON COLUMN hpo.final_results.least IS 'Accuracy of the worst seed.';
COMMENT ON COLUMN hpo.final_results.most IS 'Accuracy of the best seed.';
COMMENT ON COLUMN hpo.final_results.balanced_accuracy IS 'Mean over the seeds of the mean recall of the classes.';
COMMENT ON COLUMN hpo.final_results.macro_auc IS 'Mean over the seeds of the mean area under the ROC curves.';
COMMENT ON COLUMN hpo.final_results.log_loss IS 'Mean over the seeds of the mean negative log-probability of the true class.';
COMMENT ON COLUMN hpo.final_results.errors IS 'Misclassified test images, mean over the seeds.';
COMMENT ON COLUMN hpo.final_results.seconds IS 'Wall time of all seeds in seconds, tests included.';

CREATE OR REPLACE FUNCTION hpo.class_name(label integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY[
        'basophil', 'eosinophil', 'erythroblast', 'immature granulocytes', 'lymphocyte', 'monocyte',
        'neutrophil', 'platelet'
    ])[label + 1];
COMMENT ON FUNCTION hpo.class_name(integer) IS 'Name of a label of BloodMNIST, 0 to 7.';

CREATE VIEW hpo.confusion AS
SELECT
    models.study,
    models.number,
    models.family,
    models.recipe,
    models.seed_number,
    models.current,
    hpo.class_name(cell.place / 8) AS true_class,
    hpo.class_name(cell.place % 8) AS predicted_class,
    cell.images,
    cell.images / nullif(
        sum(cell.images) OVER (PARTITION BY models.study, models.number, cell.place / 8), 0
    )::double precision AS share
FROM hpo.models
JOIN public.studies ON studies.study_name = models.study || '-final'
JOIN public.trials ON trials.study_id = studies.study_id AND trials.number = models.number
JOIN public.trial_user_attributes AS counts
    ON counts.trial_id = trials.trial_id AND counts.key = 'confusion'
CROSS JOIN LATERAL (
    SELECT
        generate_series(0, 63) AS place,
        unnest(translate(counts.value_json, '[]', '{}')::integer[]) AS images
) AS cell;

COMMENT ON VIEW hpo.confusion IS 'One row a cell of the confusion matrix of each tested model on the test split; no rows for models tested before this was kept.';
COMMENT ON COLUMN hpo.confusion.study IS 'Name of the study that was searched.';
COMMENT ON COLUMN hpo.confusion.number IS 'Number of the retraining''s trial, as in hpo.models.';
COMMENT ON COLUMN hpo.confusion.family IS 'Model family.';
COMMENT ON COLUMN hpo.confusion.recipe IS 'Where the configuration is from.';
COMMENT ON COLUMN hpo.confusion.seed_number IS 'Number of the seed, from 1.';
COMMENT ON COLUMN hpo.confusion.current IS 'Whether the study''s latest plan still asks for the model.';
COMMENT ON COLUMN hpo.confusion.true_class IS 'What the cells are.';
COMMENT ON COLUMN hpo.confusion.predicted_class IS 'What the model takes them for.';
COMMENT ON COLUMN hpo.confusion.images IS 'Test images.';
COMMENT ON COLUMN hpo.confusion.share IS 'Share of the images of the true class, 0 to 1; on the diagonal the recall.';

CREATE VIEW hpo.held_out_confusion AS
SELECT
    studies.study_name AS study,
    trials.number,
    trim('"' FROM family.value_json) AS family,
    hpo.class_name(generate_series(0, 63) / 8) AS true_class,
    hpo.class_name(generate_series(0, 63) % 8) AS predicted_class,
    unnest(translate(counts.value_json, '[]', '{}')::integer[]) AS images
FROM public.trial_user_attributes AS counts
JOIN public.trials USING (trial_id)
JOIN public.studies USING (study_id)
LEFT JOIN public.trial_user_attributes AS family
    ON family.trial_id = trials.trial_id AND family.key = 'family'
WHERE counts.key = 'held_out_confusion';

COMMENT ON VIEW hpo.held_out_confusion IS 'One row a cell of the confusion matrix of each trial of a search, over all held-out folds together.';
COMMENT ON COLUMN hpo.held_out_confusion.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.held_out_confusion.number IS 'Number of the trial.';
COMMENT ON COLUMN hpo.held_out_confusion.family IS 'Model family.';
COMMENT ON COLUMN hpo.held_out_confusion.true_class IS 'What the cells are.';
COMMENT ON COLUMN hpo.held_out_confusion.predicted_class IS 'What the fold''s model, which has not seen them in training, takes them for.';
COMMENT ON COLUMN hpo.held_out_confusion.images IS 'Images.';

CREATE VIEW hpo.misclassified AS
SELECT
    models.study,
    models.number,
    models.family,
    models.recipe,
    models.seed_number,
    models.current,
    wrong.image::integer AS image,
    hpo.class_name(wrong.label::integer) AS true_class,
    hpo.class_name(wrong.predicted::integer) AS predicted_class,
    wrong.confidence::double precision AS confidence,
    wrong.true_probability::double precision AS true_probability
FROM hpo.models
JOIN public.studies ON studies.study_name = models.study || '-final'
JOIN public.trials ON trials.study_id = studies.study_id AND trials.number = models.number
JOIN public.trial_user_attributes AS noted
    ON noted.trial_id = trials.trial_id AND noted.key = 'misclassified'
CROSS JOIN LATERAL (SELECT hpo.parse(noted.value_json) AS value OFFSET 0) AS parsed
CROSS JOIN LATERAL ROWS FROM (
    jsonb_array_elements_text(parsed.value -> 'image'),
    jsonb_array_elements_text(parsed.value -> 'true'),
    jsonb_array_elements_text(parsed.value -> 'predicted'),
    jsonb_array_elements_text(parsed.value -> 'confidence'),
    jsonb_array_elements_text(parsed.value -> 'true_probability')
) AS wrong (image, label, predicted, confidence, true_probability);

COMMENT ON VIEW hpo.misclassified IS 'One row a test image that a model gets wrong; no rows for models tested before this was kept.';
COMMENT ON COLUMN hpo.misclassified.study IS 'Name of the study that was searched.';
COMMENT ON COLUMN hpo.misclassified.number IS 'Number of the retraining''s trial, as in hpo.models.';
COMMENT ON COLUMN hpo.misclassified.family IS 'Model family.';
COMMENT ON COLUMN hpo.misclassified.recipe IS 'Where the configuration is from.';
COMMENT ON COLUMN hpo.misclassified.seed_number IS 'Number of the seed, from 1.';
COMMENT ON COLUMN hpo.misclassified.current IS 'Whether the study''s latest plan still asks for the model.';
COMMENT ON COLUMN hpo.misclassified.image IS 'Place of the image in the test split, from 0, in the order of the file.';
COMMENT ON COLUMN hpo.misclassified.true_class IS 'What the cell is.';
COMMENT ON COLUMN hpo.misclassified.predicted_class IS 'What the model takes it for.';
COMMENT ON COLUMN hpo.misclassified.confidence IS 'Probability that the model gives the predicted class, 0 to 1.';
COMMENT ON COLUMN hpo.misclassified.true_probability IS 'Probability that it gives the true class.';
