-- What a trial measured fold by fold and epoch by epoch. Folds and epochs count from 1.

CREATE VIEW hpo.fold_scores AS
SELECT
    trials.study, trials.number, trials.family, trials.state,
    fold.fold, fold.score, fold.epochs, fold.best_epoch
FROM hpo.fold
JOIN hpo.trials USING (trial_id);
COMMENT ON VIEW hpo.fold_scores IS 'One row a fold of each complete or pruned trial.';
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
