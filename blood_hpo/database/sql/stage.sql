-- The stages that follow a search: their plan, the outcome of the confirmation, the test.

-- name: best_trials
-- The best complete trials of each family of a search, best first, the earlier of equals first.
SELECT number
FROM (
    SELECT attempt.number, row_number() OVER (
        PARTITION BY configuration.family ORDER BY told.value DESC, attempt.number
    ) AS rank
    FROM hpo.attempt
    JOIN hpo.configuration USING (configuration_id)
    JOIN public.trials USING (trial_id)
    JOIN public.trial_values AS told ON told.trial_id = trials.trial_id AND told.objective = 0
    WHERE attempt.study_id = :study_id AND trials.state = 'COMPLETE'
) AS ranked
WHERE rank <= :top
ORDER BY rank, number

-- name: plan_in_force
-- The trainings that a stage is to do, and those that it has given up.
SELECT config_hash, seed, place IS NOT NULL AS in_force
FROM hpo.configuration
WHERE study_id = :study_id AND (place IS NOT NULL OR given_up_at IS NOT NULL)

-- name: withdraw_plan
-- Have no training of a stage hold a place.
UPDATE hpo.configuration SET place = NULL WHERE study_id = :study_id AND place IS NOT NULL

-- name: plan_training
-- Have a training hold a place of the plan, unless it has been given up.
INSERT INTO hpo.configuration (
    study_id, stage, family, config_hash, replicate, seed, config, params, budget, place,
    source_number, recipe, epochs, patience, start_epoch
)
VALUES (
    :study_id, :stage, :family, :config_hash, :replicate, :seed, CAST(:config AS jsonb),
    CAST(:params AS jsonb), :budget, :place, :source_number, :recipe, :epochs, :patience,
    :start_epoch
)
ON CONFLICT (study_id, config_hash, seed) DO UPDATE
SET place = excluded.place, source_number = excluded.source_number, recipe = excluded.recipe
WHERE configuration.given_up_at IS NULL

-- name: drop_other_budgets
-- Families that the plan of a stage does not have any more have no place in it.
UPDATE hpo.budget SET budget = 0, closed = false
WHERE study_id = :study_id AND NOT family = ANY(:families) AND budget <> 0

-- name: end_withdrawn
-- Fail the waiting trials of a stage that its plan no longer asks for.
WITH withdrawn AS (
    UPDATE public.trials
    SET state = 'FAIL', datetime_complete = clock_timestamp() AT TIME ZONE 'UTC'
    FROM hpo.attempt
    JOIN hpo.configuration USING (configuration_id)
    WHERE attempt.trial_id = trials.trial_id AND attempt.study_id = :study_id AND attempt.open
        AND trials.state = 'WAITING' AND configuration.place IS NULL
    RETURNING trials.trial_id
)
UPDATE hpo.attempt SET open = false, failure = 'error', reason = 'no longer of the plan'
FROM withdrawn
WHERE attempt.trial_id = withdrawn.trial_id

-- name: fresh_scores
-- Fold scores of each training of the plan in force, by number of its split, and which collapsed.
SELECT trials.config_hash, fresh.scores, fresh.collapsed
FROM hpo.trials
JOIN (
    SELECT
        number, array_agg(score ORDER BY fold) AS scores,
        array_agg(collapsed ORDER BY fold) AS collapsed
    FROM hpo.fold_scores
    WHERE study = :study
    GROUP BY number
) AS fresh USING (number)
WHERE trials.study = :study AND trials.in_force AND trials.state = 'COMPLETE'
ORDER BY trials.replicate

-- name: drop_candidates
-- Forget the outcome of a confirmation.
DELETE FROM hpo.candidate WHERE study_id = :study_id

-- name: new_candidate
-- A configuration on fresh folds, held against the best of its family.
INSERT INTO hpo.candidate (
    study_id, family, config_hash, source_number, search_rank, search_score, left_out, rank, scores,
    collapsed, mean, sd, low, high, behind, behind_low, behind_high, p_value, separable, winner
)
VALUES (
    :study_id, :family, :config_hash, :source_number, :search_rank, :search_score, :left_out, :rank,
    :scores, :collapsed, :mean, :sd, :low, :high, :behind, :behind_low, :behind_high, :p_value, :separable,
    :winner
)

-- name: winners
-- Numbers of the search's trials that found the confirmed winners, one a family.
SELECT source_number FROM hpo.candidate WHERE study_id = :study_id AND winner ORDER BY family

-- name: open_test
-- Note that the test split is opened for the model of a running trial that the worker holds and that
-- the plan in force asks for.
INSERT INTO hpo.test_opening (trial_id)
SELECT attempt.trial_id
FROM hpo.attempt
JOIN hpo.configuration USING (configuration_id)
WHERE attempt.trial_id = :trial_id AND attempt.open AND attempt.worker = :worker
    AND configuration.place IS NOT NULL
RETURNING trial_id

-- name: test_mistakes
-- Which test images each model of the plan in force gets wrong.
SELECT
    configuration.config_hash, tested_model.test_images,
    ARRAY(SELECT image FROM hpo.mistake WHERE mistake.trial_id = attempt.trial_id) AS wrong
FROM hpo.tested_model
JOIN hpo.attempt USING (trial_id)
JOIN hpo.configuration USING (configuration_id)
WHERE attempt.study_id = :study_id AND configuration.place IS NOT NULL
ORDER BY configuration.config_hash, configuration.replicate

-- name: write_test_interval
-- The interval of a configuration's test accuracy over seeds and images.
INSERT INTO hpo.test_interval (study_id, config_hash, seeds, low, high)
VALUES (:study_id, :config_hash, :seeds, :low, :high)
ON CONFLICT (study_id, config_hash) DO UPDATE
SET seeds = excluded.seeds, low = excluded.low, high = excluded.high
