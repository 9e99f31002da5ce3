-- What the stages after a search leave: confirmed configurations, and tested models. study and number
-- name a trial of the search, final_study and final_number the retraining of a model.

CREATE VIEW hpo.confirmations AS
SELECT
    search.study_name AS study, confirm.study_name AS confirm_study, candidate.family, candidate.rank,
    candidate.winner, candidate.source_number AS number, candidate.config_hash, candidate.search_rank,
    candidate.search_score, candidate.mean, candidate.sd, candidate.low, candidate.high,
    candidate.behind, candidate.behind_low, candidate.behind_high, candidate.p_value,
    candidate.separable, candidate.left_out, candidate.scores, candidate.collapsed,
    configuration.params, configuration.config, result.parameter_count
FROM hpo.candidate
JOIN hpo.study USING (study_id)
JOIN public.studies AS confirm USING (study_id)
JOIN public.studies AS search ON search.study_id = study.search_id
LEFT JOIN hpo.attempt
    ON attempt.study_id = study.search_id AND attempt.number = candidate.source_number
LEFT JOIN hpo.configuration USING (configuration_id)
LEFT JOIN hpo.result ON result.trial_id = attempt.trial_id;
COMMENT ON VIEW hpo.confirmations IS 'One row a configuration that was run again on fresh folds, best confirmed mean first.';
COMMENT ON COLUMN hpo.confirmations.study IS 'Name of the search.';
COMMENT ON COLUMN hpo.confirmations.confirm_study IS 'Name of the study that ran it again.';
COMMENT ON COLUMN hpo.confirmations.rank IS 'Place in the family by confirmed mean, from 1; null if it was left out.';
COMMENT ON COLUMN hpo.confirmations.winner IS 'Whether it is the one that is retrained.';
COMMENT ON COLUMN hpo.confirmations.number IS 'Number of the search''s trial that found it.';
COMMENT ON COLUMN hpo.confirmations.search_rank IS 'Place in the family by the search''s score, from 1.';
COMMENT ON COLUMN hpo.confirmations.search_score IS 'The search''s score.';
COMMENT ON COLUMN hpo.confirmations.mean IS 'Mean of the objective over all fresh folds.';
COMMENT ON COLUMN hpo.confirmations.sd IS 'Sample standard deviation over all fresh folds.';
COMMENT ON COLUMN hpo.confirmations.low IS 'Lower end of the interval of the mean; null where there are too few folds for one.';
COMMENT ON COLUMN hpo.confirmations.high IS 'Upper end of the interval of the mean.';
COMMENT ON COLUMN hpo.confirmations.behind IS 'How far the best is ahead, paired over the folds.';
COMMENT ON COLUMN hpo.confirmations.behind_low IS 'Lower end of the interval of that difference.';
COMMENT ON COLUMN hpo.confirmations.behind_high IS 'Upper end of the interval of that difference.';
COMMENT ON COLUMN hpo.confirmations.p_value IS 'Adjusted p-value of that difference.';
COMMENT ON COLUMN hpo.confirmations.separable IS 'Whether it is worse than the best beyond chance; null for the best itself.';
COMMENT ON COLUMN hpo.confirmations.left_out IS 'Why it could not be compared; null if it was.';
COMMENT ON COLUMN hpo.confirmations.scores IS 'List of the objective by split and fold.';
COMMENT ON COLUMN hpo.confirmations.collapsed IS 'List by split and fold: whether the network has learnt nothing.';

CREATE VIEW hpo.models AS
SELECT
    search.study_name AS study, final.study_name AS final_study, attempt.number AS final_number,
    configuration.family, configuration.recipe, configuration.replicate AS seed_number,
    configuration.source_number, configuration.config_hash, configuration.config,
    configuration.place IS NOT NULL AS in_force, result.parameter_count, model.non_trainable_count,
    result.epochs, fold.best_epoch, result.seconds, model.validation_images, model.validation_errors,
    model.validation_accuracy, model.validation_balanced_accuracy, model.validation_macro_auc,
    model.validation_log_loss, model.test_images, model.test_errors, model.test_accuracy,
    model.test_balanced_accuracy, model.test_macro_auc, model.test_log_loss, model.averaged_accuracy,
    model.medmnist_auc, model.medmnist_acc, model.medmnist_file,
    (
        SELECT count(*) FROM hpo.test_opening
        JOIN hpo.attempt AS opened USING (trial_id)
        WHERE opened.configuration_id = attempt.configuration_id
    ) AS test_openings,
    model.file, model.sha256, model.bytes, model.loading_difference, model.scaling_mean,
    model.scaling_deviation, model.class_weights, model.architecture, model.versions, attempt.trial_id
FROM hpo.tested_model AS model
JOIN hpo.attempt USING (trial_id)
JOIN hpo.configuration USING (configuration_id)
JOIN hpo.study ON study.study_id = attempt.study_id
JOIN public.studies AS final ON final.study_id = study.study_id
JOIN public.studies AS search ON search.study_id = study.search_id
JOIN hpo.result ON result.trial_id = attempt.trial_id
LEFT JOIN hpo.fold ON fold.trial_id = attempt.trial_id AND fold.fold = 1;
COMMENT ON VIEW hpo.models IS 'One row a model that was retrained on the whole training split and tested.';
COMMENT ON COLUMN hpo.models.study IS 'Name of the search.';
COMMENT ON COLUMN hpo.models.non_trainable_count IS 'Its moving statistics.';
COMMENT ON COLUMN hpo.models.epochs IS 'Epochs trained.';
COMMENT ON COLUMN hpo.models.seconds IS 'Wall time of the last attempt in seconds, tests included.';
COMMENT ON COLUMN hpo.models.validation_images IS 'Images of the validation split.';
COMMENT ON COLUMN hpo.models.validation_errors IS 'Those of them that it gets wrong.';
COMMENT ON COLUMN hpo.models.validation_accuracy IS 'Accuracy on the validation split.';
COMMENT ON COLUMN hpo.models.validation_balanced_accuracy IS 'Mean recall of the classes on the validation split.';
COMMENT ON COLUMN hpo.models.validation_macro_auc IS 'Mean area under the ROC curves of the classes on the validation split.';
COMMENT ON COLUMN hpo.models.validation_log_loss IS 'Mean negative log-probability of the true class on the validation split.';
COMMENT ON COLUMN hpo.models.test_errors IS 'Images of the test split that it gets wrong.';
COMMENT ON COLUMN hpo.models.test_accuracy IS 'Accuracy on the test split.';
COMMENT ON COLUMN hpo.models.test_balanced_accuracy IS 'Mean recall of the classes on the test split.';
COMMENT ON COLUMN hpo.models.test_macro_auc IS 'Mean area under the ROC curves of the classes on the test split.';
COMMENT ON COLUMN hpo.models.test_log_loss IS 'Mean negative log-probability of the true class on the test split.';
COMMENT ON COLUMN hpo.models.averaged_accuracy IS 'Accuracy on the test split of predictions averaged over the eight symmetries; null where not asked for.';
COMMENT ON COLUMN hpo.models.medmnist_auc IS 'AUC on the test split by medmnist''s own evaluator.';
COMMENT ON COLUMN hpo.models.medmnist_acc IS 'Accuracy on the test split by medmnist''s own evaluator.';
COMMENT ON COLUMN hpo.models.medmnist_file IS 'Name of the result file that it wrote.';
COMMENT ON COLUMN hpo.models.test_openings IS 'How often the test split was opened for it: more than once only if a worker died in between.';
COMMENT ON COLUMN hpo.models.file IS 'Name of the model''s file.';
COMMENT ON COLUMN hpo.models.sha256 IS 'SHA-256 of the model''s file.';
COMMENT ON COLUMN hpo.models.bytes IS 'Size of the model''s file.';
COMMENT ON COLUMN hpo.models.loading_difference IS 'Largest difference of a probability between the file and the trained network, on the validation split.';
COMMENT ON COLUMN hpo.models.scaling_mean IS 'List of what is subtracted from each channel.';
COMMENT ON COLUMN hpo.models.scaling_deviation IS 'List of what each channel is divided by.';
COMMENT ON COLUMN hpo.models.class_weights IS 'List of the weight of each class in the loss.';
COMMENT ON COLUMN hpo.models.architecture IS 'Its layers in order.';
COMMENT ON COLUMN hpo.models.versions IS 'Versions of what decides a result.';
COMMENT ON COLUMN hpo.models.trial_id IS 'Optuna''s key of the retraining.';

CREATE VIEW hpo.final_results AS
SELECT
    tested.*, told.low, told.high
FROM (
    SELECT
        models.study, models.final_study, models.family, models.recipe, models.config_hash,
        count(*) AS seeds, max(models.parameter_count) AS parameter_count,
        max(models.test_images) AS test_images, avg(models.test_accuracy) AS accuracy,
        stddev_samp(models.test_accuracy) AS sd, min(models.test_accuracy) AS least,
        max(models.test_accuracy) AS most, avg(models.test_balanced_accuracy) AS balanced_accuracy,
        avg(models.test_macro_auc) AS macro_auc, avg(models.test_log_loss) AS log_loss,
        avg(models.test_errors)::double precision AS errors, sum(models.seconds) AS seconds
    FROM hpo.models
    WHERE models.in_force
    GROUP BY models.study, models.final_study, models.family, models.recipe, models.config_hash
) AS tested
JOIN public.studies AS final ON final.study_name = tested.final_study
LEFT JOIN hpo.test_interval AS told ON told.study_id = final.study_id
    AND told.config_hash = tested.config_hash AND told.seeds = tested.seeds;
COMMENT ON VIEW hpo.final_results IS 'One row a tested configuration of the plan in force: means over its seeds, with the interval of the accuracy.';
COMMENT ON COLUMN hpo.final_results.study IS 'Name of the search.';
COMMENT ON COLUMN hpo.final_results.seeds IS 'Models, each trained with another seed.';
COMMENT ON COLUMN hpo.final_results.accuracy IS 'Mean accuracy on the test split over the seeds, 0 to 1.';
COMMENT ON COLUMN hpo.final_results.low IS 'Lower end of the 95 % interval of that accuracy, over seeds and over test images; null until it was computed.';
COMMENT ON COLUMN hpo.final_results.high IS 'Upper end of that interval.';
COMMENT ON COLUMN hpo.final_results.sd IS 'Sample standard deviation of the accuracy over the seeds; null for one.';
COMMENT ON COLUMN hpo.final_results.least IS 'Accuracy of the worst seed.';
COMMENT ON COLUMN hpo.final_results.most IS 'Accuracy of the best seed.';
COMMENT ON COLUMN hpo.final_results.balanced_accuracy IS 'Mean over the seeds of the mean recall of the classes.';
COMMENT ON COLUMN hpo.final_results.macro_auc IS 'Mean over the seeds of the mean area under the ROC curves.';
COMMENT ON COLUMN hpo.final_results.log_loss IS 'Mean over the seeds of the mean negative log-probability of the true class.';
COMMENT ON COLUMN hpo.final_results.errors IS 'Misclassified test images, mean over the seeds.';
COMMENT ON COLUMN hpo.final_results.seconds IS 'Wall time of all seeds in seconds, tests included.';

CREATE VIEW hpo.confusion AS
SELECT
    models.study, models.final_study, models.final_number, models.family, models.recipe,
    models.seed_number, models.in_force, hpo.class_name(cell.place / 8) AS true_class,
    hpo.class_name(cell.place % 8) AS predicted_class, cell.images,
    cell.images / nullif(
        sum(cell.images) OVER (PARTITION BY models.trial_id, cell.place / 8), 0
    )::double precision AS share
FROM hpo.models
JOIN hpo.tested_model USING (trial_id)
CROSS JOIN LATERAL (
    SELECT generate_series(0, 63) AS place, unnest(tested_model.confusion) AS images
) AS cell;
COMMENT ON VIEW hpo.confusion IS 'One row a cell of the confusion matrix of each tested model on the test split.';
COMMENT ON COLUMN hpo.confusion.study IS 'Name of the search.';
COMMENT ON COLUMN hpo.confusion.images IS 'Test images.';
COMMENT ON COLUMN hpo.confusion.share IS 'Share of the images of the true class, 0 to 1; on the diagonal the recall.';

CREATE VIEW hpo.misclassified AS
SELECT
    models.study, models.final_study, models.final_number, models.family, models.recipe,
    models.seed_number, models.in_force, mistake.image,
    hpo.class_name(mistake.true_class) AS true_class,
    hpo.class_name(mistake.predicted_class) AS predicted_class, mistake.confidence,
    mistake.true_probability
FROM hpo.models
JOIN hpo.mistake USING (trial_id);
COMMENT ON VIEW hpo.misclassified IS 'One row a test image that a tested model gets wrong.';
COMMENT ON COLUMN hpo.misclassified.study IS 'Name of the search.';
COMMENT ON COLUMN hpo.misclassified.image IS 'Place of the image in the test split, from 0, in the order of the file.';
COMMENT ON COLUMN hpo.misclassified.confidence IS 'Probability that the model gives the predicted class, 0 to 1.';
COMMENT ON COLUMN hpo.misclassified.true_probability IS 'Probability that it gives the true class, 0 to 1.';
