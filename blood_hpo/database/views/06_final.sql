-- study and number name a trial of the search, final_study and final_number a model's retraining.
CREATE VIEW hpo.confirmations AS
SELECT search.study_name AS study, confirm.study_name AS confirm_study, candidate.family, rank,
    winner, candidate.source_number AS number, candidate.config_hash, search_rank, search_score,
    mean, sd, low, high, behind, behind_low, behind_high, p_value, separable, left_out, scores,
    collapsed, params, config, parameter_count
FROM hpo.candidate JOIN hpo.study USING (study_id) JOIN public.studies AS confirm USING (study_id)
JOIN public.studies AS search ON search.study_id = search_id
LEFT JOIN hpo.trials ON study = search.study_name AND number = candidate.source_number;

CREATE VIEW hpo.models AS
SELECT search.study_name AS study, final.study_name AS final_study, attempt.number AS final_number,
    family, recipe, replicate AS seed_number, source_number, config_hash, config,
    place IS NOT NULL AS in_force, parameter_count, result.epochs, best_epoch, seconds, (
        SELECT count(*) FROM hpo.test_opening JOIN hpo.attempt AS opened USING (trial_id)
        WHERE opened.configuration_id = attempt.configuration_id
    ) AS test_openings, model.*
FROM hpo.tested_model AS model JOIN hpo.result USING (trial_id) JOIN hpo.attempt USING (trial_id)
JOIN hpo.configuration USING (configuration_id) JOIN hpo.study ON study.study_id = attempt.study_id
JOIN public.studies AS final ON final.study_id = study.study_id
JOIN public.studies AS search ON search.study_id = search_id
LEFT JOIN hpo.fold ON fold.trial_id = model.trial_id AND fold = 1;

CREATE VIEW hpo.final_results AS
SELECT tested.*, low, high FROM (
    SELECT study, final_study, family, recipe, config_hash, count(*) AS seeds,
        max(parameter_count) AS parameter_count, max(test_images) AS test_images,
        avg(test_accuracy) AS accuracy, stddev_samp(test_accuracy) AS sd,
        min(test_accuracy) AS least, max(test_accuracy) AS most,
        avg(test_balanced_accuracy) AS balanced_accuracy, avg(test_macro_auc) AS macro_auc,
        avg(test_log_loss) AS log_loss, avg(test_errors)::float AS errors, sum(seconds) AS seconds
    FROM hpo.models WHERE in_force GROUP BY study, final_study, family, recipe, config_hash
) AS tested LEFT JOIN public.studies ON study_name = final_study
LEFT JOIN hpo.test_interval USING (study_id, config_hash, seeds);

CREATE VIEW hpo.confusion AS
SELECT study, final_study, final_number, family, recipe, seed_number, in_force,
    hpo.class_name(place / 8) AS true_class, hpo.class_name(place % 8) AS predicted_class, images,
    images / nullif(sum(images) OVER (PARTITION BY trial_id, place / 8), 0)::float AS share
FROM hpo.models
CROSS JOIN LATERAL (SELECT generate_series(0, 63) AS place, unnest(confusion) AS images) AS cell;

CREATE VIEW hpo.misclassified AS
SELECT study, final_study, final_number, family, recipe, seed_number, in_force, image,
    hpo.class_name(true_class) AS true_class, hpo.class_name(predicted_class) AS predicted_class,
    confidence, true_probability
FROM hpo.models JOIN hpo.mistake USING (trial_id);
