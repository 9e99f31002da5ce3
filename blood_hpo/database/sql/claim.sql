-- take: The trial that a worker goes on with before a new one is made: one that it holds already,
-- because an answer was lost, or the oldest that waits. One that a janitor fails is passed over.
WITH started AS (
    UPDATE public.trials SET state = 'RUNNING', datetime_start = CASE WHEN state = 'RUNNING'
        THEN datetime_start ELSE clock_timestamp() AT TIME ZONE 'UTC' END
    WHERE trial_id = (
        SELECT trial_id FROM hpo.attempt JOIN hpo.study USING (study_id)
        JOIN hpo.configuration USING (configuration_id) JOIN public.trials USING (trial_id)
        WHERE attempt.study_id = :study_id AND open AND paused IS NULL AND place IS NOT NULL
            AND (state = 'WAITING' OR state = 'RUNNING' AND worker = :worker)
        ORDER BY state = 'RUNNING' DESC, attempt.number LIMIT 1 FOR UPDATE OF trials SKIP LOCKED
    ) RETURNING trial_id
), shown AS (
    INSERT INTO public.trial_user_attributes (trial_id, key, value_json)
    SELECT trial_id, 'worker', to_json(CAST(:worker AS text))::text FROM started
    ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json
)
UPDATE hpo.attempt SET worker = :worker, heartbeat_at = clock_timestamp()
FROM started WHERE attempt.trial_id = started.trial_id RETURNING number

-- standing: How many places of each family are held, and whether trials that hold one are open.
SELECT paused, budget.family, budget.budget, closed, (
    SELECT count(place) FROM hpo.configuration
    WHERE configuration.study_id = budget.study_id AND configuration.family = budget.family
) AS held, EXISTS (
    SELECT FROM hpo.attempt JOIN hpo.configuration USING (configuration_id)
    WHERE attempt.study_id = study.study_id AND open AND place IS NOT NULL
        AND configuration.family = budget.family
) AS open
FROM hpo.study LEFT JOIN hpo.budget USING (study_id) WHERE study.study_id = :study_id

-- history: Trials after the newest that a worker knew, and those that have ended since, without
-- reports of a run that was begun afresh. One that waits counts as running: samplers see no others.
SELECT attempt.number, family, CASE WHEN open THEN 'RUNNING' ELSE state::text END AS state, params,
    config_hash, given_up_at IS NOT NULL AS given_up, value,
    CASE WHEN state IN ('COMPLETE', 'PRUNED') THEN (
        SELECT array_agg(intermediate_value ORDER BY step)
        FROM public.trial_intermediate_values AS reported WHERE reported.trial_id = attempt.trial_id
            AND step <= coalesce(result.epoch, step)
    ) END AS reports
FROM hpo.attempt JOIN hpo.configuration USING (configuration_id) JOIN public.trials USING (trial_id)
LEFT JOIN public.trial_values AS told ON told.trial_id = trials.trial_id AND objective = 0
LEFT JOIN hpo.result ON result.trial_id = attempt.trial_id
WHERE attempt.study_id = :study_id
    AND (attempt.number > :newest OR attempt.number = ANY(:unfinished) AND NOT open)
ORDER BY attempt.number

-- claim_lock: New trials of a study are made one at a time; Optuna too locks this row.
SELECT study_id FROM public.studies WHERE study_id = :study_id FOR NO KEY UPDATE

-- new_configuration: The first of some candidates that nobody has tried, on the free place after
-- the last held one that has one. No row if all were tried, none is free, or the study is paused.
INSERT INTO hpo.configuration
    (study_id, stage, family, config_hash, seed, config, params, budget, place, repeats_avoided)
SELECT :study_id, 'search', :family, config_hash, seed, config, params, budget, held.place + 1,
    repeats_avoided
FROM hpo.study JOIN hpo.budget USING (study_id) CROSS JOIN LATERAL (
    SELECT place FROM (
        SELECT place FROM hpo.configuration WHERE study_id = :study_id AND family = :family
        UNION ALL SELECT 0
    ) AS held WHERE place < budget AND NOT EXISTS (
        SELECT FROM hpo.configuration AS next
        WHERE next.study_id = :study_id AND next.family = :family AND next.place = held.place + 1
    ) ORDER BY place DESC LIMIT 1
) AS held
CROSS JOIN jsonb_to_recordset(CAST(:candidates AS jsonb)) AS candidate (rank integer,
    config_hash text, seed bigint, config jsonb, params jsonb, repeats_avoided integer)
WHERE study_id = :study_id AND family = :family AND paused IS NULL AND NOT EXISTS (
    SELECT FROM hpo.configuration AS tried
    WHERE tried.study_id = :study_id AND tried.config_hash = candidate.config_hash
) ORDER BY rank LIMIT 1 RETURNING configuration_id, config_hash, family, NULL AS source_id

-- planned_configuration: The next training of a stage's plan that no attempt stands for.
SELECT configuration.configuration_id, family, replicate, source.trial_id AS source_id
FROM hpo.configuration JOIN hpo.study USING (study_id)
LEFT JOIN hpo.attempt AS source ON source.study_id = search_id AND source.number = source_number
WHERE configuration.study_id = :study_id AND place IS NOT NULL AND paused IS NULL AND NOT EXISTS (
    SELECT FROM hpo.attempt
    WHERE attempt.configuration_id = configuration.configuration_id AND attempt.failure IS NULL
) ORDER BY array_position(CAST(:families AS text[]), family), place LIMIT 1

-- new_trial: The next attempt at a configuration, with its parameters or those of another trial.
WITH trial AS (
    INSERT INTO public.trials (number, study_id, state, datetime_start)
    SELECT coalesce(max(number) + 1, 0), :study_id, CAST(:state AS trialstate),
        CASE WHEN :state = 'RUNNING' THEN clock_timestamp() AT TIME ZONE 'UTC' END
    FROM public.trials WHERE study_id = :study_id AND number < 1000000000
    RETURNING trial_id, number, datetime_start
), attempt AS (
    INSERT INTO hpo.attempt
        (trial_id, configuration_id, study_id, number, attempt, worker, heartbeat_at)
    SELECT trial_id, :configuration_id, :study_id, number,
        (SELECT count(*) + 1 FROM hpo.attempt WHERE configuration_id = :configuration_id), :worker,
        datetime_start AT TIME ZONE 'UTC'
    FROM trial RETURNING trial_id, attempt, worker
), given AS (
    INSERT INTO public.trial_params (trial_id, param_name, param_value, distribution_json)
    SELECT trial.trial_id, name, value, distribution FROM trial CROSS JOIN (
        SELECT * FROM jsonb_to_recordset(CAST(:params AS jsonb))
            AS param (name text, value float, distribution text)
        UNION ALL
        SELECT param_name, param_value, distribution_json
        FROM public.trial_params WHERE trial_id = :copied_from
    ) AS param
), shown AS (
    INSERT INTO public.trial_user_attributes (trial_id, key, value_json)
    SELECT trial_id, key, value::text FROM attempt CROSS JOIN LATERAL json_each(json_build_object(
        'family', CAST(:family AS text), 'attempt', attempt, 'worker', worker))
)
SELECT trial_id, number FROM trial
