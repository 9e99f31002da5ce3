-- The life of an attempt after its claim: heartbeats, reports, endings, recovery.

-- name: beat
-- Record a heartbeat, and learn whether the study was stopped. Touches no row when the trial is no
-- longer running or another worker holds it: the lease is lost. The server's clock is the only one
-- that counts.
UPDATE hpo.attempt SET heartbeat_at = clock_timestamp()
WHERE trial_id = :trial_id AND open AND worker = :worker
RETURNING EXISTS (
    SELECT FROM hpo.study AS own
    JOIN hpo.study AS search ON search.study_id = own.search_id
    WHERE own.study_id = attempt.study_id AND search.paused = :stopped
) AS stopped

-- name: report
-- Record the scores after some epochs of a trial that the worker holds.
INSERT INTO public.trial_intermediate_values (
    trial_id, step, intermediate_value, intermediate_value_type
)
SELECT attempt.trial_id, reported.step, reported.value, 'FINITE'
FROM hpo.attempt
CROSS JOIN unnest(
    CAST(:epochs AS integer[]), CAST(:values AS double precision[])
) AS reported (step, value)
WHERE attempt.trial_id = :trial_id AND attempt.open AND attempt.worker = :worker
ON CONFLICT (trial_id, step) DO UPDATE SET intermediate_value = excluded.intermediate_value

-- name: end_trial
-- Finish a running trial that the worker holds.
WITH ended AS (
    UPDATE public.trials
    SET state = CAST(:state AS trialstate), datetime_complete = clock_timestamp() AT TIME ZONE 'UTC'
    FROM hpo.attempt
    WHERE attempt.trial_id = trials.trial_id AND trials.trial_id = :trial_id
        AND trials.state = 'RUNNING' AND attempt.worker = :worker
    RETURNING trials.trial_id
), told AS (
    INSERT INTO public.trial_values (trial_id, objective, value, value_type)
    SELECT trial_id, 0, :value, 'FINITE' FROM ended
), shown AS (
    INSERT INTO public.trial_user_attributes (trial_id, key, value_json)
    SELECT trial_id, key, value FROM ended CROSS JOIN jsonb_each_text(CAST(:shown AS jsonb))
    ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json
)
UPDATE hpo.attempt SET open = false, reason = :reason, heartbeat_at = clock_timestamp()
FROM ended
WHERE attempt.trial_id = ended.trial_id
RETURNING attempt.study_id, attempt.number

-- name: ended_as
-- Whether the worker has ended the trial in this state before.
SELECT EXISTS (
    SELECT FROM hpo.attempt JOIN public.trials USING (trial_id)
    WHERE attempt.trial_id = :trial_id AND attempt.worker = :worker
        AND trials.state = CAST(:state AS trialstate)
        AND attempt.reason IS NOT DISTINCT FROM :reason
)

-- name: put_back
-- Return a running trial to the queue as it is.
WITH waiting AS (
    UPDATE public.trials SET state = 'WAITING'
    FROM hpo.attempt
    WHERE attempt.trial_id = trials.trial_id AND trials.trial_id = :trial_id
        AND trials.state = 'RUNNING' AND attempt.worker = :worker
    RETURNING trials.trial_id
), shown AS (
    UPDATE public.trial_user_attributes AS shown SET value_json = 'null'
    FROM waiting
    WHERE shown.trial_id = waiting.trial_id AND shown.key = 'worker'
)
UPDATE hpo.attempt SET worker = NULL, heartbeat_at = NULL
FROM waiting
WHERE attempt.trial_id = waiting.trial_id
RETURNING attempt.trial_id

-- name: is_waiting
-- Whether a trial waits for a worker.
SELECT EXISTS (SELECT FROM public.trials WHERE trial_id = :trial_id AND state = 'WAITING')

-- name: stale
-- Open trials whose worker has not been heard of for the grace time. Silence is counted from the
-- last heartbeat or from the start of the server, whichever is later: while the server was away
-- nobody could be heard.
SELECT attempt.trial_id, attempt.number, attempt.attempt, attempt.worker
FROM hpo.attempt
JOIN public.trials USING (trial_id)
WHERE attempt.study_id = :study_id AND attempt.open AND trials.state = 'RUNNING'
    AND greatest(coalesce(heartbeat_at, '-infinity'), pg_postmaster_start_time())
        < clock_timestamp() - make_interval(secs => :grace_seconds)
ORDER BY attempt.number

-- name: fail_trial
-- Fail a running trial: one that the worker holds, or, where a grace time is given, one whose worker
-- has not been heard of for it.
WITH failed AS (
    UPDATE public.trials
    SET state = 'FAIL', datetime_complete = clock_timestamp() AT TIME ZONE 'UTC'
    FROM hpo.attempt
    WHERE attempt.trial_id = trials.trial_id AND trials.trial_id = :trial_id
        AND trials.state = 'RUNNING' AND attempt.worker = :worker
        AND (
            CAST(:grace_seconds AS double precision) IS NULL
            OR greatest(coalesce(heartbeat_at, '-infinity'), pg_postmaster_start_time())
                < clock_timestamp() - make_interval(secs => :grace_seconds)
        )
    RETURNING trials.trial_id
), shown AS (
    INSERT INTO public.trial_user_attributes (trial_id, key, value_json)
    SELECT trial_id, 'reason', to_json(CAST(:reason AS text))::text FROM failed
)
UPDATE hpo.attempt SET open = false, failure = :failure, reason = :reason
FROM failed, hpo.configuration
WHERE attempt.trial_id = failed.trial_id
    AND configuration.configuration_id = attempt.configuration_id
RETURNING attempt.configuration_id, configuration.family, configuration.place IS NOT NULL AS in_force

-- name: give_up
-- Give a configuration's place back: its attempts have failed, and it is not tried again.
UPDATE hpo.configuration SET place = NULL, given_up_at = clock_timestamp()
WHERE configuration_id = :configuration_id

-- name: give_up_lost
-- Give up the configurations of a study of which no attempt is left that has not failed.
UPDATE hpo.configuration SET place = NULL, given_up_at = clock_timestamp()
WHERE study_id = :study_id AND place IS NOT NULL
    AND EXISTS (
        SELECT FROM hpo.attempt
        WHERE attempt.configuration_id = configuration.configuration_id
    )
    AND NOT EXISTS (
        SELECT FROM hpo.attempt
        WHERE attempt.configuration_id = configuration.configuration_id AND failure IS NULL
    )

-- name: failures_in_a_row
-- How many configurations failed since the study's latest success, or since it was last resumed, and
-- why the latest one did. Attempts that were merely lost with their worker say nothing about the
-- study and are passed over, unless the configuration was given up for it.
SELECT
    count(DISTINCT configuration_id) AS configurations,
    (array_agg(attempt.reason ORDER BY trials.datetime_complete DESC, trials.trial_id DESC))[1]
        AS last_reason
FROM hpo.attempt
JOIN hpo.configuration USING (configuration_id)
JOIN public.trials USING (trial_id)
JOIN hpo.study ON study.study_id = attempt.study_id
WHERE attempt.study_id = :study_id
    AND (attempt.failure = 'error' OR attempt.failure = 'lost' AND given_up_at IS NOT NULL)
    AND trials.datetime_complete > coalesce((
        SELECT max(datetime_complete) FROM public.trials AS successes
        WHERE successes.study_id = :study_id AND state IN ('COMPLETE', 'PRUNED')
    ), '-infinity')
    AND trials.datetime_complete > coalesce(resumed_at AT TIME ZONE 'UTC', '-infinity')

-- name: among_best
-- Whether a trial with a value would be among the best of its family: fewer complete trials of the
-- study and family than that are at least as good.
SELECT count(*) < :count
FROM hpo.attempt AS own
JOIN hpo.configuration AS mine USING (configuration_id)
JOIN hpo.configuration AS other
    ON other.study_id = mine.study_id AND other.family = mine.family
JOIN hpo.attempt AS rival ON rival.configuration_id = other.configuration_id
JOIN public.trials ON trials.trial_id = rival.trial_id AND trials.state = 'COMPLETE'
JOIN public.trial_values AS told ON told.trial_id = rival.trial_id AND told.objective = 0
WHERE own.trial_id = :trial_id AND told.value >= :value

-- name: held_here
-- Running trials held by the workers of one machine, and how long each was not heard of, in seconds.
SELECT
    attempt.number, attempt.worker,
    extract(epoch FROM clock_timestamp() - heartbeat_at)::double precision AS silent_seconds
FROM hpo.attempt
JOIN public.trials USING (trial_id)
WHERE attempt.open AND trials.state = 'RUNNING' AND starts_with(worker, CAST(:host AS text) || ':')
ORDER BY silent_seconds DESC

-- name: open_hashes
-- The configurations that are in training or wait for it.
SELECT configuration.config_hash
FROM hpo.attempt JOIN hpo.configuration USING (configuration_id)
WHERE attempt.study_id = :study_id AND attempt.open
