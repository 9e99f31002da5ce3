-- beat: Record a heartbeat, and learn whether the study was stopped. No row if the lease is lost.
UPDATE hpo.attempt SET heartbeat_at = clock_timestamp()
WHERE trial_id = :trial_id AND open AND worker = :worker RETURNING EXISTS (
    SELECT FROM hpo.study AS own JOIN hpo.study AS search ON search.study_id = own.search_id
    WHERE own.study_id = attempt.study_id AND search.paused = :stopped
) AS stopped

-- report: Record the scores after some epochs of a trial that the worker holds.
INSERT INTO public.trial_intermediate_values
    (trial_id, step, intermediate_value, intermediate_value_type)
SELECT trial_id, step, value, 'FINITE'
FROM hpo.attempt CROSS JOIN unnest(CAST(:epochs AS integer[]), CAST(:values AS float[]))
    AS reported (step, value)
WHERE trial_id = :trial_id AND open AND worker = :worker
ON CONFLICT (trial_id, step) DO UPDATE SET intermediate_value = excluded.intermediate_value

-- leave: End a running trial that the worker holds, or put it back; with a grace time, if stale. A
-- lost one ended with its last heartbeat: what came after was not computing time.
WITH ended AS (
    UPDATE public.trials SET state = CAST(:state AS trialstate), datetime_complete = CASE
        WHEN :state <> 'WAITING' THEN coalesce(CASE WHEN :failure = 'lost' THEN heartbeat_at END,
            clock_timestamp()) AT TIME ZONE 'UTC' END
    FROM hpo.attempt WHERE attempt.trial_id = trials.trial_id AND trials.trial_id = :trial_id
        AND trials.state = 'RUNNING' AND worker IS NOT DISTINCT FROM :worker
        AND coalesce(hpo.is_stale(heartbeat_at, :grace_seconds), true)
    RETURNING trials.trial_id
), told AS (
    INSERT INTO public.trial_values (trial_id, objective, value, value_type)
    SELECT trial_id, 0, :value, 'FINITE' FROM ended WHERE :value IS NOT NULL
), shown AS (
    INSERT INTO public.trial_user_attributes (trial_id, key, value_json)
    SELECT trial_id, key, value FROM ended CROSS JOIN jsonb_each_text(CAST(:shown AS jsonb))
    ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json
)
UPDATE hpo.attempt SET open = :state = 'WAITING', failure = :failure, reason = :reason,
    worker = CASE WHEN :state <> 'WAITING' THEN worker END,
    heartbeat_at = CASE :state WHEN 'FAIL' THEN heartbeat_at WHEN 'WAITING' THEN NULL
        ELSE clock_timestamp() END
FROM ended, hpo.configuration AS own
WHERE attempt.trial_id = ended.trial_id AND own.configuration_id = attempt.configuration_id
RETURNING attempt.study_id, number, attempt.configuration_id, family, place IS NOT NULL AS in_force

-- left_before: Whether the worker has left the trial in this state before.
SELECT EXISTS (
    SELECT FROM hpo.attempt JOIN public.trials USING (trial_id)
    WHERE trial_id = :trial_id AND state = CAST(:state AS trialstate)
        AND (state = 'WAITING' OR worker = :worker) AND reason IS NOT DISTINCT FROM :reason
)

-- stale: Running trials whose worker has not been heard of for the grace time, its own or the
-- asker's, whichever is longer: workers with different settings do not fail each other's trials.
SELECT trial_id, attempt.number, attempt, worker,
    greatest(worker.grace_seconds, :grace_seconds) AS grace
FROM hpo.attempt JOIN public.trials USING (trial_id) LEFT JOIN hpo.worker USING (worker)
WHERE attempt.study_id = :study_id AND open AND state = 'RUNNING'
    AND hpo.is_stale(heartbeat_at, greatest(worker.grace_seconds, :grace_seconds))
ORDER BY attempt.number

-- give_up: Give a place back whose attempts have all failed, or all such places of a search, whose
-- claims make place and attempt at once: one without any is lost too.
UPDATE hpo.configuration SET place = NULL, given_up_at = clock_timestamp()
WHERE study_id = :study_id AND place IS NOT NULL
    AND (configuration_id = :configuration_id OR :configuration_id IS NULL AND stage = 'search')
    AND NOT EXISTS (SELECT FROM hpo.attempt WHERE failure IS NULL
        AND attempt.configuration_id = configuration.configuration_id)

-- failures_in_a_row: Configurations that failed since the latest success or resumption, and the
-- latest reason. Lost attempts count only where the configuration was given up; withdrawn, never.
SELECT count(DISTINCT configuration_id) AS configurations,
    (array_agg(reason ORDER BY datetime_complete DESC, trial_id DESC))[1] AS last_reason
FROM hpo.attempt JOIN hpo.configuration USING (configuration_id) JOIN public.trials USING (trial_id)
JOIN hpo.study ON study.study_id = attempt.study_id
WHERE attempt.study_id = :study_id AND (given_up_at IS NOT NULL OR failure = 'error' AND place > 0)
    AND datetime_complete > greatest(resumed_at AT TIME ZONE 'UTC', '-infinity', (
        SELECT max(datetime_complete) FROM public.trials AS successes
        WHERE successes.study_id = :study_id AND state IN ('COMPLETE', 'PRUNED')
    ))

-- among_best: Whether fewer complete trials of its family are at least as good as a trial is.
SELECT count(*) < :count FROM hpo.trials JOIN hpo.trials AS own USING (study, family)
WHERE own.trial_id = :trial_id AND trials.state = 'COMPLETE' AND trials.score >= :value

-- held_here: Running trials of the workers of a machine: begun when, and silent for how long.
SELECT attempt.number, worker, extract(epoch FROM datetime_start)::float AS started_at,
    extract(epoch FROM clock_timestamp() - heartbeat_at)::float AS silent_seconds
FROM hpo.attempt JOIN public.trials USING (trial_id)
WHERE open AND state = 'RUNNING' AND starts_with(worker, CAST(:host AS text) || ':')
ORDER BY silent_seconds DESC

-- meet: Note which program a worker runs, on which processor, and when it counts as dead.
INSERT INTO hpo.worker (worker, program, processor, grace_seconds)
VALUES (:worker, :program, :processor, :grace_seconds)
ON CONFLICT (worker) DO UPDATE SET grace_seconds = excluded.grace_seconds
