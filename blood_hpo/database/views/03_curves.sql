-- What a trial measured fold by fold and epoch by epoch. Folds and epochs count from 1.

-- A network that gives every image the same answer scores the share of the largest class, one eighth
-- or one half, since folds are stratified. All trials of a study are held out the same images, so the
-- confusion of one of them has the share. The margin: of the original report's 373 trainings two ended
-- at 0.197, where chance is 0.195, and the lowest of the others reached 0.309.
CREATE VIEW hpo.chance AS
SELECT
    studies.study_name AS study, level.score, level.score + 0.05 AS collapsed_below
FROM hpo.study
JOIN public.studies USING (study_id)
LEFT JOIN LATERAL (
    SELECT result.confusion
    FROM hpo.attempt
    JOIN hpo.result USING (trial_id)
    WHERE attempt.study_id = study.study_id AND result.confusion IS NOT NULL
    LIMIT 1
) AS one ON true
CROSS JOIN LATERAL (
    SELECT CASE study.spec ->> 'objective'
        WHEN 'accuracy' THEN (
            SELECT (max(class.images) / sum(class.images))::double precision
            FROM (
                SELECT sum(cell.images) AS images
                FROM unnest(one.confusion) WITH ORDINALITY AS cell (images, place)
                GROUP BY (cell.place - 1) / 8
            ) AS class
        )
        WHEN 'balanced_accuracy' THEN 1 / 8.0
        WHEN 'macro_auc' THEN 1 / 2.0
    END::double precision AS score
) AS level;
COMMENT ON VIEW hpo.chance IS 'One row a study: what a network scores that has learnt nothing.';
COMMENT ON COLUMN hpo.chance.score IS 'Objective of a network that gives every image the same answer; null before the first trial of a study that maximises accuracy.';
COMMENT ON COLUMN hpo.chance.collapsed_below IS 'A fold that scores no more than this has learnt nothing.';

CREATE VIEW hpo.fold_scores AS
SELECT
    trials.study, trials.number, trials.family, trials.state,
    fold.fold, fold.score, fold.epochs, fold.best_epoch,
    fold.score <= chance.collapsed_below AS collapsed
FROM hpo.fold
JOIN hpo.trials USING (trial_id)
LEFT JOIN hpo.chance USING (study);
COMMENT ON VIEW hpo.fold_scores IS 'One row a fold of each complete or pruned trial.';
COMMENT ON COLUMN hpo.fold_scores.collapsed IS 'Whether the network has learnt nothing: its score is within 0.05 of chance, see hpo.chance. Null of a retraining.';
COMMENT ON COLUMN hpo.fold_scores.score IS 'Objective on the held-out fold with the weights of best_epoch; of a retraining, on the validation split.';
COMMENT ON COLUMN hpo.fold_scores.epochs IS 'Epochs that the fold was trained for.';

CREATE VIEW hpo.learning_curves AS
SELECT
    trials.study, trials.number, trials.family, fold.fold,
    generate_series(1, cardinality(fold.train_loss)) AS epoch, unnest(fold.train_loss) AS train_loss,
    unnest(fold.validation) AS validation, unnest(fold.held_out) AS score
FROM hpo.fold
JOIN hpo.trials USING (trial_id);
COMMENT ON VIEW hpo.learning_curves IS 'One row an epoch of each fold of each complete or pruned trial.';
COMMENT ON COLUMN hpo.learning_curves.train_loss IS 'Mean training loss of the epoch.';
COMMENT ON COLUMN hpo.learning_curves.validation IS 'Score on the validation split after the epoch, which early stopping watches.';
COMMENT ON COLUMN hpo.learning_curves.score IS 'Objective on the held-out fold after the epoch; null of a retraining.';

CREATE VIEW hpo.mean_curves AS
SELECT
    trials.study, trials.number, trials.family,
    generate_series(1, cardinality(result.mean_folds)) AS epoch, unnest(result.mean_folds) AS folds,
    unnest(result.mean_train_loss) AS train_loss, unnest(result.mean_validation) AS validation,
    unnest(result.mean_score) AS score
FROM hpo.result
JOIN hpo.trials USING (trial_id);
COMMENT ON VIEW hpo.mean_curves IS 'One row an epoch of each complete or pruned trial: means over the folds that were trained in it.';
COMMENT ON COLUMN hpo.mean_curves.folds IS 'Folds that were trained in the epoch: fewer once early stopping has ended some.';
COMMENT ON COLUMN hpo.mean_curves.train_loss IS 'Mean training loss over those folds.';
COMMENT ON COLUMN hpo.mean_curves.validation IS 'Mean score on the validation split over those folds.';
COMMENT ON COLUMN hpo.mean_curves.score IS 'Mean objective on the held-out folds over those folds; hpo.reported_scores has what the pruner saw.';

CREATE VIEW hpo.reported_scores AS
SELECT
    trials.study, trials.number, trials.family, trials.state,
    reported.step AS epoch,
    CASE reported.intermediate_value_type
        WHEN 'FINITE' THEN reported.intermediate_value
        WHEN 'INF_POS' THEN 'Infinity' WHEN 'INF_NEG' THEN '-Infinity'
    END AS score
FROM public.trial_intermediate_values AS reported
JOIN hpo.trials USING (trial_id);
COMMENT ON VIEW hpo.reported_scores IS 'One row an epoch of each trial, running ones too: what the pruner sees.';
COMMENT ON COLUMN hpo.reported_scores.score IS 'Mean over the folds of the held-out score that the trial would have if it ended now.';

CREATE OR REPLACE FUNCTION hpo.class_name(label integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY[
        'basophil', 'eosinophil', 'erythroblast', 'immature granulocytes', 'lymphocyte', 'monocyte',
        'neutrophil', 'platelet'
    ])[label + 1];
COMMENT ON FUNCTION hpo.class_name(integer) IS 'Name of a label of BloodMNIST, 0 to 7.';

CREATE VIEW hpo.held_out_confusion AS
SELECT
    trials.study, trials.number, trials.family,
    hpo.class_name(generate_series(0, 63) / 8) AS true_class,
    hpo.class_name(generate_series(0, 63) % 8) AS predicted_class,
    unnest(result.confusion) AS images
FROM hpo.result
JOIN hpo.trials USING (trial_id)
WHERE result.confusion IS NOT NULL;
COMMENT ON VIEW hpo.held_out_confusion IS 'One row a cell of the confusion matrix of each trial, over all held-out folds together.';
COMMENT ON COLUMN hpo.held_out_confusion.predicted_class IS 'What the fold''s model, which has not seen them in training, takes them for.';
COMMENT ON COLUMN hpo.held_out_confusion.images IS 'Images of the held-out folds.';
