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

-- Reading 750,000 points out of JSON takes a second, out of arrays a tenth of that. The arrays are
-- written with the attribute they are made of, in its transaction, and go with its trial.
CREATE TABLE IF NOT EXISTS hpo.curves (
    trial_id integer NOT NULL REFERENCES public.trials ON DELETE CASCADE,
    fold integer NOT NULL,
    train_loss double precision[],
    validation double precision[],
    score double precision[],
    folds integer[],
    PRIMARY KEY (trial_id, fold)
);
COMMENT ON TABLE hpo.curves IS 'Learning curves as arrays, an element an epoch: what hpo.learning_curves and hpo.mean_curves are made of.';
COMMENT ON COLUMN hpo.curves.trial_id IS 'Optuna''s key of the trial.';
COMMENT ON COLUMN hpo.curves.fold IS 'Fold, from 1; 0 is the mean of the folds.';
COMMENT ON COLUMN hpo.curves.train_loss IS 'Mean training loss of each epoch.';
COMMENT ON COLUMN hpo.curves.validation IS 'Accuracy on the validation split after each epoch.';
COMMENT ON COLUMN hpo.curves.score IS 'Objective on the held-out fold after each epoch.';
COMMENT ON COLUMN hpo.curves.folds IS 'Of the mean: folds that were trained in each epoch.';

-- Attributes of that name in studies of other programs may hold anything: they are left alone.
CREATE OR REPLACE FUNCTION hpo.keep_curves() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM hpo.curves WHERE trial_id = NEW.trial_id;
    INSERT INTO hpo.curves (trial_id, fold, train_loss, validation, score)
    SELECT
        NEW.trial_id,
        fold.fold,
        translate(fold.train_loss, '[]', '{}')::double precision[],
        translate(fold.validation, '[]', '{}')::double precision[],
        translate(fold.score, '[]', '{}')::double precision[]
    FROM (SELECT hpo.parse(NEW.value_json) AS value) AS parsed
    CROSS JOIN LATERAL ROWS FROM (
        jsonb_array_elements_text(parsed.value -> 'train_loss'),
        jsonb_array_elements_text(parsed.value -> 'validation'),
        jsonb_array_elements_text(parsed.value -> 'score')
    ) WITH ORDINALITY AS fold (train_loss, validation, score, fold);
    INSERT INTO hpo.curves (trial_id, fold, train_loss, validation, score, folds)
    SELECT
        NEW.trial_id,
        0,
        array_agg(mean.train_loss ORDER BY mean.epoch),
        array_agg(mean.validation ORDER BY mean.epoch),
        array_agg(mean.score ORDER BY mean.epoch),
        array_agg(mean.folds ORDER BY mean.epoch)
    FROM (
        SELECT
            point.epoch,
            avg(point.train_loss) AS train_loss,
            avg(point.validation) AS validation,
            avg(point.score) AS score,
            count(*)::integer AS folds
        FROM hpo.curves
        CROSS JOIN LATERAL unnest(curves.train_loss, curves.validation, curves.score)
            WITH ORDINALITY AS point (train_loss, validation, score, epoch)
        WHERE curves.trial_id = NEW.trial_id
        GROUP BY point.epoch
    ) AS mean
    HAVING count(*) > 0;
    RETURN NULL;
EXCEPTION
    WHEN data_exception THEN
        RETURN NULL;
END
$$;
COMMENT ON FUNCTION hpo.keep_curves() IS 'Writes hpo.curves from an attribute ''curves'' of a trial.';

DO $$
BEGIN
    -- Made once, since making it waits for everybody who writes attributes.
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'blood_hpo_curves' AND NOT tgisinternal
        AND tgrelid = 'public.trial_user_attributes'::regclass)
    THEN
        CREATE TRIGGER blood_hpo_curves
            AFTER INSERT OR UPDATE ON public.trial_user_attributes
            FOR EACH ROW WHEN (NEW.key = 'curves') EXECUTE FUNCTION hpo.keep_curves();
        -- What was there before the trigger goes through it once.
        UPDATE public.trial_user_attributes SET value_json = value_json WHERE key = 'curves';
    END IF;
END
$$;

-- The family is trimmed and not parsed, since that is done again for every row.

CREATE VIEW hpo.learning_curves AS
SELECT
    studies.study_name AS study,
    trials.number,
    trim('"' FROM family.value_json) AS family,
    curves.fold,
    generate_series(
        1, greatest(cardinality(curves.train_loss), cardinality(curves.validation))
    ) AS epoch,
    unnest(curves.train_loss) AS train_loss,
    unnest(curves.validation) AS validation,
    unnest(curves.score) AS score
FROM hpo.curves
JOIN public.trials USING (trial_id)
JOIN public.studies USING (study_id)
LEFT JOIN public.trial_user_attributes AS family
    ON family.trial_id = trials.trial_id AND family.key = 'family'
WHERE curves.fold > 0;

COMMENT ON VIEW hpo.learning_curves IS 'One row an epoch of each fold of each finished trial.';
COMMENT ON COLUMN hpo.learning_curves.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.learning_curves.number IS 'Number of the trial.';
COMMENT ON COLUMN hpo.learning_curves.family IS 'Model family.';
COMMENT ON COLUMN hpo.learning_curves.fold IS 'Fold, from 1.';
COMMENT ON COLUMN hpo.learning_curves.epoch IS 'Epoch, from 1.';
COMMENT ON COLUMN hpo.learning_curves.train_loss IS 'Mean training loss of the epoch.';
COMMENT ON COLUMN hpo.learning_curves.validation IS 'Accuracy on the validation split after the epoch, which early stopping watches.';
COMMENT ON COLUMN hpo.learning_curves.score IS 'Objective on the held-out fold after the epoch.';

CREATE VIEW hpo.mean_curves AS
SELECT
    studies.study_name AS study,
    trials.number,
    trim('"' FROM family.value_json) AS family,
    generate_series(1, cardinality(curves.folds)) AS epoch,
    unnest(curves.folds) AS folds,
    unnest(curves.train_loss) AS train_loss,
    unnest(curves.validation) AS validation,
    unnest(curves.score) AS score
FROM hpo.curves
JOIN public.trials USING (trial_id)
JOIN public.studies USING (study_id)
LEFT JOIN public.trial_user_attributes AS family
    ON family.trial_id = trials.trial_id AND family.key = 'family'
WHERE curves.fold = 0;

COMMENT ON VIEW hpo.mean_curves IS 'One row an epoch of each finished trial: means over the folds that were trained in it.';
COMMENT ON COLUMN hpo.mean_curves.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.mean_curves.number IS 'Number of the trial.';
COMMENT ON COLUMN hpo.mean_curves.family IS 'Model family.';
COMMENT ON COLUMN hpo.mean_curves.epoch IS 'Epoch, from 1.';
COMMENT ON COLUMN hpo.mean_curves.folds IS 'Folds that were trained in the epoch: fewer once early stopping has ended some.';
COMMENT ON COLUMN hpo.mean_curves.train_loss IS 'Mean training loss over those folds.';
COMMENT ON COLUMN hpo.mean_curves.validation IS 'Mean accuracy on the validation split over those folds.';
COMMENT ON COLUMN hpo.mean_curves.score IS 'Mean objective on the held-out folds over those folds; hpo.reported_scores has what the pruner saw.';

CREATE VIEW hpo.reported_scores AS
SELECT
    studies.study_name AS study,
    trials.number,
    trim('"' FROM family.value_json) AS family,
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
