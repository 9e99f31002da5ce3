-- Inconsistencies of a study
-- What should never be found, each with the trial it was found at: more trials than the budget,
-- configurations counted twice, lost or retried twice, running trials that nobody is heard of for
-- grace seconds, and trials without what every trial has. Finding nothing is the good answer.
WITH own AS (
    SELECT
        trials.trial_id,
        trials.number,
        trials.state::text AS state,
        attributes.value ->> 'family' AS family,
        attributes.value ->> 'config_hash' AS config_hash,
        coalesce(attributes.value ->> 'replicate', '') AS replicate,
        (attributes.value ->> 'attempt')::integer AS attempt,
        attributes.value ->> 'worker' AS worker,
        coalesce((attributes.value ->> 'final_failure')::boolean, false) AS given_up,
        history.value AS history
    FROM public.trials
    JOIN public.studies USING (study_id)
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(key, hpo.parse(value_json)) AS value
        FROM public.trial_user_attributes
        WHERE trial_user_attributes.trial_id = trials.trial_id
            AND key IN (
                'family', 'config_hash', 'replicate', 'attempt', 'worker', 'final_failure'
            )
    ) AS attributes ON true
    LEFT JOIN LATERAL (
        SELECT hpo.parse(value_json) AS value
        FROM public.trial_system_attributes
        WHERE trial_system_attributes.trial_id = trials.trial_id AND key = 'retry_history'
    ) AS history ON true
    WHERE studies.study_name = :study
),
retries AS (
    SELECT number, config_hash, replicate, (history -> -1)::integer AS retry_of
    FROM own
    WHERE history IS NOT NULL
)
SELECT * FROM (
    SELECT
        'over budget' AS inconsistency, family, NULL::integer AS number, NULL::text AS worker,
        format('%s of %s trials', counted + running + waiting, budget) AS detail
    FROM hpo.progress
    WHERE study = :study AND counted + running + waiting > budget
    UNION ALL
    SELECT
        'counted twice', min(family), max(number), NULL,
        format('configuration %s in trials %s', config_hash, string_agg(number::text, ', '))
    FROM own
    WHERE state IN ('COMPLETE', 'PRUNED')
    GROUP BY config_hash, replicate
    HAVING count(*) > 1
    UNION ALL
    SELECT 'lost', family, number, worker, 'failed, not given up, and not enqueued again'
    FROM own
    WHERE state = 'FAIL' AND NOT given_up AND config_hash IS NOT NULL
        AND NOT EXISTS (SELECT FROM retries WHERE retry_of = own.number)
    UNION ALL
    SELECT
        'retried twice', NULL, retry_of, NULL,
        format('enqueued again as trials %s', string_agg(number::text, ', '))
    FROM retries
    GROUP BY retry_of
    HAVING count(*) > 1
    UNION ALL
    SELECT
        'without origin', own.family, own.number, own.worker,
        format('attempt %s is not linked to a failed attempt at its configuration', own.attempt)
    FROM own
    WHERE own.attempt > 1
        AND NOT EXISTS (
            SELECT
            FROM retries
            JOIN own AS origin ON origin.number = retries.retry_of
            WHERE retries.number = own.number AND origin.state = 'FAIL'
                AND origin.config_hash = own.config_hash AND origin.replicate = own.replicate
        )
    UNION ALL
    SELECT 'never heard of', own.family, own.number, own.worker, 'running without any heartbeat'
    FROM own
    WHERE own.state = 'RUNNING'
        AND NOT EXISTS (SELECT FROM public.trial_heartbeats WHERE trial_id = own.trial_id)
    UNION ALL
    SELECT
        'not heard of', own.family, own.number, own.worker,
        format(
            'silent for %s s',
            round(extract(epoch FROM (now() AT TIME ZONE 'UTC') - heartbeats.heartbeat))
        )
    FROM own
    JOIN public.trial_heartbeats AS heartbeats USING (trial_id)
    WHERE own.state = 'RUNNING'
        AND greatest(heartbeats.heartbeat, pg_postmaster_start_time() AT TIME ZONE 'UTC')
        < (now() AT TIME ZONE 'UTC') - make_interval(secs => :grace)
    UNION ALL
    SELECT
        'holds several', NULL, max(number), worker,
        format('runs trials %s at once', string_agg(number::text, ', '))
    FROM own
    WHERE state = 'RUNNING' AND worker IS NOT NULL
    GROUP BY worker
    HAVING count(*) > 1
    UNION ALL
    SELECT 'without configuration', family, number, worker, 'made by another program'
    FROM own
    WHERE config_hash IS NULL OR family IS NULL
    UNION ALL
    SELECT 'without score', own.family, own.number, own.worker, 'complete, but no score is stored'
    FROM own
    WHERE own.state = 'COMPLETE'
        AND NOT EXISTS (SELECT FROM public.trial_values WHERE trial_id = own.trial_id)
) AS found
ORDER BY inconsistency, number
