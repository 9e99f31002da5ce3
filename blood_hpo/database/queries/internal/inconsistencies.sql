-- Inconsistencies of a study
-- What should never be found, each with the trial it was found at. The keys of the tables rule most of
-- it out; it is asked all the same, so that the program that writes is not its own judge. Trials of
-- other programs are looked at for their numbers alone. Finding nothing is the good answer.
WITH own AS (
    SELECT
        attempt.trial_id, attempt.number, attempt.configuration_id, attempt.worker, attempt.failure,
        attempt.heartbeat_at, attempt.open, trials.state::text AS state, configuration.family,
        configuration.config_hash, configuration.seed, configuration.stage, configuration.place
    FROM hpo.attempt
    JOIN hpo.configuration USING (configuration_id)
    JOIN public.trials USING (trial_id)
    JOIN public.studies ON studies.study_id = attempt.study_id
    WHERE studies.study_name = :study
)
SELECT * FROM (
    SELECT
        'duplicate number' AS inconsistency, NULL::text AS family, number, NULL::text AS worker,
        format('%s trials have it', count(*)) AS detail
    FROM public.trials
    JOIN public.studies USING (study_id)
    WHERE study_name = :study
    GROUP BY number
    HAVING count(*) > 1
    UNION ALL
    SELECT 'other number', family, own.number, worker, format('Optuna''s is %s', trials.number)
    FROM own
    JOIN public.trials USING (trial_id)
    WHERE trials.number IS DISTINCT FROM own.number
    UNION ALL
    SELECT 'over budget', family, NULL, NULL, format('%s configurations of %s', taken, budget)
    FROM (
        SELECT budget.family, budget.budget, count(configuration.place) AS taken
        FROM hpo.budget
        JOIN hpo.configuration USING (study_id, family)
        JOIN public.studies USING (study_id)
        WHERE study_name = :study
        GROUP BY budget.family, budget.budget
    ) AS held
    WHERE taken > budget
    UNION ALL
    SELECT
        'counted twice', family, max(number), NULL,
        format('configuration %s in trials %s', config_hash, string_agg(number::text, ', '))
    FROM own
    WHERE state IN ('COMPLETE', 'PRUNED')
    GROUP BY family, config_hash, CASE stage WHEN 'search' THEN NULL ELSE seed END
    HAVING count(*) > 1
    UNION ALL
    SELECT
        'lost', configuration.family, max(own.number), NULL,
        format('configuration %s holds place %s and nobody attempts it', configuration.config_hash, configuration.place)
    FROM hpo.configuration
    JOIN public.studies USING (study_id)
    LEFT JOIN own USING (configuration_id)
    WHERE study_name = :study AND configuration.place IS NOT NULL
    GROUP BY configuration.configuration_id
    HAVING coalesce(bool_and(own.state = 'FAIL'), configuration.stage = 'search')
    UNION ALL
    SELECT 'never heard of', family, number, worker, 'running without any heartbeat'
    FROM own
    WHERE state = 'RUNNING' AND heartbeat_at IS NULL
    UNION ALL
    SELECT
        'not heard of', family, number, worker,
        format('silent for %s s', round(extract(epoch FROM clock_timestamp() - heartbeat_at)))
    FROM own
    WHERE state = 'RUNNING' AND greatest(heartbeat_at, pg_postmaster_start_time())
        < clock_timestamp() - make_interval(secs => :grace)
        AND heartbeat_at IS NOT NULL
    UNION ALL
    SELECT
        'holds several', NULL, max(number), worker,
        format('runs trials %s at once', string_agg(number::text, ', '))
    FROM own
    WHERE state = 'RUNNING' AND worker IS NOT NULL
    GROUP BY worker
    HAVING count(*) > 1
    UNION ALL
    SELECT 'without result', family, number, worker, format('%s, but no result is stored', lower(state))
    FROM own
    WHERE state IN ('COMPLETE', 'PRUNED')
        AND NOT EXISTS (SELECT FROM hpo.result WHERE result.trial_id = own.trial_id)
    UNION ALL
    SELECT 'without score', family, number, worker, format('%s, but no score is stored', lower(state))
    FROM own
    WHERE state IN ('COMPLETE', 'PRUNED') AND NOT EXISTS (
        SELECT FROM public.trial_values
        WHERE trial_values.trial_id = own.trial_id AND value_type = 'FINITE'
    )
    UNION ALL
    SELECT
        'other state', family, number, worker,
        format('%s, but noted as %s', state, coalesce(failure, CASE WHEN open THEN 'open' ELSE 'ended' END))
    FROM own
    WHERE (state = 'FAIL') <> (failure IS NOT NULL) OR (state IN ('WAITING', 'RUNNING')) <> open
    UNION ALL
    SELECT
        'unlinked file', NULL, NULL, NULL,
        format('%s pieces with SHA-256 %s belong to no file', count(*), piece.sha256)
    FROM hpo.piece
    JOIN public.studies USING (study_id)
    WHERE study_name = :study AND NOT EXISTS (
        SELECT FROM hpo.artefact
        WHERE artefact.study_id = piece.study_id AND artefact.sha256 = piece.sha256
    )
    GROUP BY piece.sha256
    HAVING max(stored_at) < clock_timestamp() - make_interval(secs => :grace)
) AS found
ORDER BY inconsistency, number
