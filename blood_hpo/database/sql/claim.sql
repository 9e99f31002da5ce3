-- A claim: what has finished is read first, without any lock; then one short transaction.

-- name: take
-- The trial that a worker goes on with before a new one is made: one that it holds already, because
-- the answer to its claim was lost on the way, or the oldest that waits, drained or enqueued again
-- after its worker died. One that a janitor is failing at this moment is passed over.
WITH found AS (
    SELECT attempt.trial_id
    FROM hpo.attempt
    JOIN hpo.study USING (study_id)
    JOIN hpo.configuration USING (configuration_id)
    JOIN public.trials USING (trial_id)
    WHERE attempt.study_id = :study_id AND attempt.open AND study.paused IS NULL
        AND configuration.place IS NOT NULL
        AND (trials.state = 'WAITING' OR trials.state = 'RUNNING' AND attempt.worker = :worker)
    ORDER BY trials.state = 'RUNNING' DESC, attempt.number
    LIMIT 1
    FOR UPDATE OF trials SKIP LOCKED
), started AS (
    UPDATE public.trials
    SET state = 'RUNNING', datetime_start = CASE
        WHEN state = 'RUNNING' THEN datetime_start ELSE clock_timestamp() AT TIME ZONE 'UTC'
    END
    FROM found
    WHERE trials.trial_id = found.trial_id
    RETURNING trials.trial_id
), shown AS (
    INSERT INTO public.trial_user_attributes (trial_id, key, value_json)
    SELECT trial_id, 'worker', to_json(CAST(:worker AS text))::text FROM started
    ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json
)
UPDATE hpo.attempt SET worker = :worker, heartbeat_at = clock_timestamp()
FROM started
WHERE attempt.trial_id = started.trial_id
RETURNING attempt.number

-- name: standing
-- How a study stands, family by family: places of the budget that are held, and whether trials that
-- hold one are open. No rows if the study has been deleted.
SELECT
    study.paused, budget.family, budget.budget, budget.closed,
    (
        SELECT count(*) FROM hpo.configuration
        WHERE configuration.study_id = budget.study_id AND configuration.family = budget.family
            AND place IS NOT NULL
    ) AS held,
    EXISTS (
        SELECT FROM hpo.attempt JOIN hpo.configuration USING (configuration_id)
        WHERE attempt.study_id = study.study_id AND attempt.open AND place IS NOT NULL
            AND configuration.family = budget.family
    ) AS open
FROM hpo.study
LEFT JOIN hpo.budget USING (study_id)
WHERE study.study_id = :study_id

-- name: history
-- Trials that have been created or have changed since a worker looked last: those after the newest
-- that it knew, and those that had not ended then.
SELECT
    attempt.number, configuration.family, trials.state::text AS state, configuration.config_hash,
    configuration.params, configuration.given_up_at IS NOT NULL AS given_up, told.value,
    CASE WHEN trials.state IN ('COMPLETE', 'PRUNED') THEN (
        SELECT array_agg(intermediate_value ORDER BY step)
        FROM public.trial_intermediate_values AS reported
        WHERE reported.trial_id = attempt.trial_id
    ) END AS reports
FROM hpo.attempt
JOIN hpo.configuration USING (configuration_id)
JOIN public.trials USING (trial_id)
LEFT JOIN public.trial_values AS told ON told.trial_id = trials.trial_id AND told.objective = 0
WHERE attempt.study_id = :study_id
    AND (attempt.number > :newest OR attempt.number = ANY(:unfinished))
ORDER BY attempt.number

-- name: claim_lock
-- New trials of a study are made one at a time, until the transaction ends: also those that Optuna
-- makes, which takes a stronger lock on the same row.
SELECT study_id FROM public.studies WHERE study_id = :study_id FOR NO KEY UPDATE

-- name: new_configuration
-- The first of some candidates that nobody has tried, with a free place of the family's budget. No
-- row if all have been tried, no place is free, or the study is paused.
WITH family AS MATERIALIZED (
    SELECT budget.budget, (
        SELECT coalesce(max(place), 0) FROM hpo.configuration
        WHERE study_id = :study_id AND family = :family
    ) AS last
    FROM hpo.budget
    JOIN hpo.study USING (study_id)
    WHERE budget.study_id = :study_id AND budget.family = :family AND study.paused IS NULL
), free AS MATERIALIZED (
    SELECT budget, CASE WHEN last < budget THEN last + 1 ELSE (
        SELECT min(place)
        FROM generate_series(1, budget) AS place
        WHERE NOT EXISTS (
            SELECT FROM hpo.configuration AS taken
            WHERE taken.study_id = :study_id AND taken.family = :family
                AND taken.place = place.place
        )
    ) END AS place
    FROM family
)
INSERT INTO hpo.configuration (
    study_id, stage, family, config_hash, seed, config, params, budget, place, repeats_avoided
)
SELECT
    :study_id, 'search', :family, candidate.config_hash, candidate.seed, candidate.config,
    candidate.params, free.budget, free.place, candidate.repeats_avoided
FROM free
CROSS JOIN jsonb_to_recordset(CAST(:candidates AS jsonb)) AS candidate (
    rank integer, config_hash text, seed bigint, config jsonb, params jsonb, repeats_avoided integer
)
WHERE free.place IS NOT NULL AND NOT EXISTS (
    SELECT FROM hpo.configuration AS tried
    WHERE tried.study_id = :study_id AND tried.config_hash = candidate.config_hash
)
ORDER BY candidate.rank
LIMIT 1
RETURNING configuration_id, config_hash

-- name: planned_configuration
-- The next of the planned trainings of a stage that no attempt stands for, and the search's trial
-- that found its configuration.
SELECT
    configuration.configuration_id, configuration.family, configuration.replicate,
    source.trial_id AS source_id
FROM hpo.configuration
JOIN hpo.study USING (study_id)
LEFT JOIN hpo.attempt AS source
    ON source.study_id = study.search_id AND source.number = configuration.source_number
WHERE configuration.study_id = :study_id AND place IS NOT NULL AND study.paused IS NULL
    AND NOT EXISTS (
        SELECT FROM hpo.attempt
        WHERE attempt.configuration_id = configuration.configuration_id AND attempt.failure IS NULL
    )
ORDER BY array_position(CAST(:families AS text[]), configuration.family), place
LIMIT 1

-- name: new_trial
-- The next attempt at a configuration: an Optuna trial with its parameters, or with those of another
-- trial, held by a worker or waiting for one.
WITH trial AS (
    INSERT INTO public.trials (number, study_id, state, datetime_start)
    SELECT
        coalesce(max(number) + 1, 0), :study_id, CAST(:state AS trialstate),
        CASE WHEN :state = 'RUNNING' THEN clock_timestamp() AT TIME ZONE 'UTC' END
    FROM public.trials
    WHERE study_id = :study_id
    RETURNING trial_id, number
), attempt AS (
    INSERT INTO hpo.attempt (
        trial_id, configuration_id, study_id, number, attempt, worker, heartbeat_at
    )
    SELECT
        trial.trial_id, :configuration_id, :study_id, trial.number,
        (SELECT count(*) + 1 FROM hpo.attempt WHERE configuration_id = :configuration_id),
        :worker, CASE WHEN :state = 'RUNNING' THEN clock_timestamp() END
    FROM trial
    RETURNING trial_id, attempt, worker
), given AS (
    INSERT INTO public.trial_params (trial_id, param_name, param_value, distribution_json)
    SELECT trial.trial_id, param.name, param.value, param.distribution
    FROM trial
    CROSS JOIN jsonb_to_recordset(CAST(:params AS jsonb)) AS param (
        name text, value double precision, distribution text
    )
), copied AS (
    INSERT INTO public.trial_params (trial_id, param_name, param_value, distribution_json)
    SELECT trial.trial_id, param_name, param_value, distribution_json
    FROM trial
    CROSS JOIN public.trial_params AS param
    WHERE param.trial_id = :copied_from
), shown AS (
    INSERT INTO public.trial_user_attributes (trial_id, key, value_json)
    SELECT attempt.trial_id, one.key, one.value_json
    FROM attempt
    CROSS JOIN LATERAL (VALUES
        ('family', to_json(CAST(:family AS text))::text),
        ('attempt', attempt.attempt::text),
        ('worker', coalesce(to_json(attempt.worker)::text, 'null'))
    ) AS one (key, value_json)
)
SELECT trial_id, number FROM trial
