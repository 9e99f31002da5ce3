-- inconsistencies: What should never be in a study.
WITH this AS (SELECT study_id FROM public.studies WHERE study_name = :study), own AS (
    SELECT configuration_id, attempt.trial_id, attempt.number, family, config_hash, seed, stage,
        worker, heartbeat_at, state::text AS state, state IN ('COMPLETE', 'PRUNED') AS counted,
        state = 'RUNNING' AS running, (value BETWEEN 0 AND 1) IS TRUE AS scored,
        coalesce(failure, CASE WHEN open THEN 'open' ELSE 'ended' END) AS noted,
        greatest(grace_seconds, :grace) AS grace, result.trial_id IS NOT NULL AS stored
    FROM this JOIN hpo.attempt USING (study_id) JOIN hpo.configuration USING (configuration_id)
    JOIN public.trials USING (trial_id) LEFT JOIN hpo.worker USING (worker)
    LEFT JOIN hpo.result USING (trial_id)
    LEFT JOIN public.trial_values AS told ON told.trial_id = trials.trial_id AND objective = 0
)
SELECT inconsistency, family, number, worker, detail
FROM own CROSS JOIN LATERAL (VALUES
    ('never heard of', running AND heartbeat_at IS NULL, 'running without any heartbeat'),
    ('not heard of', running AND heartbeat_at IS NOT NULL AND hpo.is_stale(heartbeat_at, grace),
        format('silent for %s s', round(extract(epoch FROM clock_timestamp() - heartbeat_at)))),
    ('without result', counted AND NOT stored, format('%s, but no result is stored', lower(state))),
    ('without score', counted AND NOT scored, format('%s, but no score is stored', lower(state))),
    ('other state', noted NOT IN ('error', 'lost') AND state = 'FAIL'
            OR noted <> 'ended' AND counted OR noted <> 'open' AND state IN ('WAITING', 'RUNNING'),
        format('%s, but noted as %s', state, noted))
) AS looked_at (inconsistency, found, detail)
WHERE found
UNION ALL
SELECT 'over budget', family, NULL, NULL,
    format('%s configurations of %s', count(configuration.place), budget.budget)
FROM this JOIN hpo.budget USING (study_id) JOIN hpo.configuration USING (study_id, family)
GROUP BY family, budget.budget HAVING count(configuration.place) > budget.budget
UNION ALL
SELECT 'counted twice', family, max(number), NULL,
    format('configuration %s in trials %s', config_hash, string_agg(number::text, ', '))
FROM own WHERE counted
GROUP BY family, config_hash, CASE WHEN stage <> 'search' THEN seed END HAVING count(*) > 1
UNION ALL
SELECT 'lost', held.family, max(own.number), NULL,
    format('configuration %s holds place %s and nobody attempts it', held.config_hash, held.place)
FROM this JOIN hpo.configuration AS held USING (study_id) LEFT JOIN own USING (configuration_id)
WHERE held.place IS NOT NULL GROUP BY held.configuration_id
HAVING held.stage = 'search' AND coalesce(bool_and(own.state = 'FAIL'), true)
UNION ALL
SELECT 'holds several', NULL, max(number), worker,
    format('runs trials %s at once', string_agg(number::text, ', '))
FROM own WHERE running AND worker IS NOT NULL GROUP BY worker HAVING count(*) > 1
UNION ALL
SELECT 'unlinked file', NULL, NULL, NULL,
    format('%s pieces with SHA-256 %s belong to no file', count(*), sha256)
FROM this JOIN hpo.piece USING (study_id)
WHERE (study_id, sha256) NOT IN (SELECT study_id, sha256 FROM hpo.artefact)
GROUP BY sha256 HAVING max(stored_at) < clock_timestamp() - make_interval(secs => :grace)
ORDER BY inconsistency, number
