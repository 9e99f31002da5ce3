-- best_trials: The best complete trials of each family of a search, the best first.
SELECT number FROM (
    SELECT number, row_number() OVER (PARTITION BY family ORDER BY rank, number) AS place
    FROM hpo.leaderboard WHERE study = :study
) AS ranked WHERE place <= :top ORDER BY place, number

-- winners: The search's trials that found the confirmed winners, one a family.
SELECT source_number FROM hpo.candidate WHERE study_id = :study_id AND winner ORDER BY family

-- plan_in_force: The trainings that a stage is to do, and those that it has given up.
SELECT config_hash, seed, place IS NOT NULL AS in_force
FROM hpo.configuration WHERE study_id = :study_id AND (place IS NOT NULL OR given_up_at IS NOT NULL)

-- withdraw_plan: Have no training of a stage hold a place, and no family beyond its plan a budget.
WITH withdrawn AS (
    UPDATE hpo.configuration SET place = NULL WHERE study_id = :study_id AND place IS NOT NULL
), stale AS (UPDATE hpo.test_interval SET seeds = 0 WHERE study_id = :study_id)
UPDATE hpo.budget SET budget = 0, closed = false
WHERE study_id = :study_id AND NOT family = ANY(:families) AND budget <> 0

-- plan_training: Have a training hold a place of the plan, unless it has been given up.
INSERT INTO hpo.configuration (study_id, stage, family, config_hash, replicate, seed, config,
    params, budget, place, source_number, recipe, epochs, patience, start_epoch)
VALUES (:study_id, :stage, :family, :config_hash, :replicate, :seed, CAST(:config AS jsonb),
    CAST(:params AS jsonb), :budget, :place, :source_number, :recipe, :epochs, :patience,
    :start_epoch)
ON CONFLICT (study_id, config_hash, seed) DO UPDATE
SET place = excluded.place, source_number = excluded.source_number, recipe = excluded.recipe
WHERE configuration.given_up_at IS NULL

-- end_withdrawn: Fail the waiting trials of a stage that its plan no longer asks for.
WITH withdrawn AS (
    UPDATE public.trials
    SET state = 'FAIL', datetime_complete = coalesce(datetime_start, now() AT TIME ZONE 'UTC')
    FROM hpo.attempt JOIN hpo.configuration USING (configuration_id)
    WHERE attempt.trial_id = trials.trial_id AND attempt.study_id = :study_id AND open
        AND trials.state = 'WAITING' AND place IS NULL
    RETURNING trials.trial_id
)
UPDATE hpo.attempt SET open = false, failure = 'lost', reason = 'no longer of the plan'
FROM withdrawn WHERE attempt.trial_id = withdrawn.trial_id

-- fresh_scores: Fold scores of each training of the plan in force by split; which collapsed.
SELECT config_hash, array_agg(fold_scores.score ORDER BY fold) AS scores,
    array_agg(collapsed ORDER BY fold) AS collapsed
FROM hpo.fold_scores WHERE study = :study AND in_force AND state = 'COMPLETE'
GROUP BY config_hash, replicate, number ORDER BY replicate

-- candidates: The outcome of a confirmation, as it is stored.
SELECT * FROM hpo.candidate WHERE study_id = :study_id

-- drop_candidates: Forget the outcome of a confirmation.
DELETE FROM hpo.candidate WHERE study_id = :study_id

-- new_candidates: Configurations on fresh folds, held against the best of their families.
INSERT INTO hpo.candidate
SELECT * FROM jsonb_populate_recordset(NULL::hpo.candidate, CAST(:rows AS jsonb))

-- open_test: Note that the test split is opened for a trial that is held and in force.
INSERT INTO hpo.test_opening (trial_id)
SELECT trial_id FROM hpo.attempt JOIN hpo.configuration USING (configuration_id)
WHERE trial_id = :trial_id AND open AND worker = :worker AND place IS NOT NULL
ON CONFLICT (trial_id) DO UPDATE SET opened_at = test_opening.opened_at RETURNING trial_id

-- test_mistakes: Which test images each model of the plan in force gets wrong.
SELECT config_hash, test_images,
    ARRAY(SELECT image FROM hpo.mistake WHERE mistake.trial_id = models.trial_id) AS wrong
FROM hpo.models WHERE final_study = :study AND in_force ORDER BY config_hash, seed_number

-- write_test_interval: The interval of a configuration's test accuracy over seeds and images.
INSERT INTO hpo.test_interval (study_id, config_hash, seeds, low, high)
VALUES (:study_id, :config_hash, :seeds, :low, :high) ON CONFLICT (study_id, config_hash) DO UPDATE
SET seeds = excluded.seeds, low = excluded.low, high = excluded.high
