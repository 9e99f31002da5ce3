-- What a trial measured fold by fold and epoch by epoch. Folds and epochs count from 1.

CREATE VIEW hpo.fold_scores AS
SELECT
    trials.study,
    trials.number,
    trials.family,
    trials.state,
    fold.fold::integer AS fold,
    fold.score::double precision AS score,
    fold.epochs::integer AS epochs,
    fold.best_epoch::integer AS best_epoch
FROM hpo.trials
CROSS JOIN LATERAL ROWS FROM (
    jsonb_array_elements_text(trials.fold_scores),
    jsonb_array_elements_text(trials.fold_epochs),
    jsonb_array_elements_text(trials.fold_best_epochs)
) WITH ORDINALITY AS fold (score, epochs, best_epoch, fold);

COMMENT ON VIEW hpo.fold_scores IS 'One row a fold of each finished trial.';
COMMENT ON COLUMN hpo.fold_scores.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.fold_scores.number IS 'Number of the trial.';
COMMENT ON COLUMN hpo.fold_scores.family IS 'Model family.';
COMMENT ON COLUMN hpo.fold_scores.state IS 'State of the trial; a pruned trial was scored when it was stopped.';
COMMENT ON COLUMN hpo.fold_scores.fold IS 'Fold, from 1.';
COMMENT ON COLUMN hpo.fold_scores.score IS 'Objective on the held-out fold, with the weights of best_epoch.';
COMMENT ON COLUMN hpo.fold_scores.epochs IS 'Epochs that the fold was trained for.';
COMMENT ON COLUMN hpo.fold_scores.best_epoch IS 'Epoch whose weights early stopping restored, from 1.';

CREATE VIEW hpo.learning_curves AS
SELECT
    studies.study_name AS study,
    trials.number,
    family.value_json::jsonb #>> '{}' AS family,
    fold.fold::integer AS fold,
    epoch.epoch::integer AS epoch,
    epoch.train_loss::double precision AS train_loss,
    epoch.validation::double precision AS validation,
    epoch.score::double precision AS score
FROM public.trial_user_attributes AS curves
JOIN public.trials USING (trial_id)
JOIN public.studies USING (study_id)
LEFT JOIN public.trial_user_attributes AS family
    ON family.trial_id = trials.trial_id AND family.key = 'family'
CROSS JOIN LATERAL (SELECT hpo.parse(curves.value_json) AS value OFFSET 0) AS parsed
CROSS JOIN LATERAL ROWS FROM (
    jsonb_array_elements(parsed.value -> 'train_loss'),
    jsonb_array_elements(parsed.value -> 'validation'),
    jsonb_array_elements(parsed.value -> 'score')
) WITH ORDINALITY AS fold (train_loss, validation, score, fold)
CROSS JOIN LATERAL ROWS FROM (
    jsonb_array_elements_text(fold.train_loss),
    jsonb_array_elements_text(fold.validation),
    jsonb_array_elements_text(fold.score)
) WITH ORDINALITY AS epoch (train_loss, validation, score, epoch)
WHERE curves.key = 'curves';

COMMENT ON VIEW hpo.learning_curves IS 'One row an epoch of each fold of each finished trial.';
COMMENT ON COLUMN hpo.learning_curves.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.learning_curves.number IS 'Number of the trial.';
COMMENT ON COLUMN hpo.learning_curves.family IS 'Model family.';
COMMENT ON COLUMN hpo.learning_curves.fold IS 'Fold, from 1.';
COMMENT ON COLUMN hpo.learning_curves.epoch IS 'Epoch, from 1.';
COMMENT ON COLUMN hpo.learning_curves.train_loss IS 'Mean training loss of the epoch.';
COMMENT ON COLUMN hpo.learning_curves.validation IS 'Accuracy on the validation split after the epoch, which early stopping watches.';
COMMENT ON COLUMN hpo.learning_curves.score IS 'Objective on the held-out fold after the epoch.';

CREATE VIEW hpo.reported_scores AS
SELECT
    studies.study_name AS study,
    trials.number,
    family.value_json::jsonb #>> '{}' AS family,
    trials.state::text AS state,
    reported.step AS epoch,
    CASE reported.intermediate_value_type
        WHEN 'FINITE' THEN reported.intermediate_value
        WHEN 'INF_POS' THEN 'Infinity'
        WHEN 'INF_NEG' THEN '-Infinity'
    END AS score
FROM public.trial_intermediate_values AS reported
JOIN public.trials USING (trial_id)
JOIN public.studies USING (study_id)
LEFT JOIN public.trial_user_attributes AS family
    ON family.trial_id = trials.trial_id AND family.key = 'family';

COMMENT ON VIEW hpo.reported_scores IS 'One row an epoch of each trial, running ones too: what the pruner sees.';
COMMENT ON COLUMN hpo.reported_scores.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.reported_scores.number IS 'Number of the trial.';
COMMENT ON COLUMN hpo.reported_scores.family IS 'Model family.';
COMMENT ON COLUMN hpo.reported_scores.state IS 'State of the trial.';
COMMENT ON COLUMN hpo.reported_scores.epoch IS 'Epoch, from 1.';
COMMENT ON COLUMN hpo.reported_scores.score IS 'Mean over the folds of the held-out score that the trial would have if it ended now.';
