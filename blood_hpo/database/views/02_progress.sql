CREATE VIEW hpo.progress AS
SELECT study, family, budget, complete + pruned AS counted, complete, pruned, running, waiting,
    failed, remaining, closed, best_score, epochs, seconds, mean_seconds,
    CASE remaining WHEN 0 THEN 0 ELSE greatest(
        sum(remaining * usual_seconds - least(begun_seconds, least(running, remaining)
            * usual_seconds)) OVER whole / greatest(sum(running) OVER whole, 1),
        max(usual_seconds - youngest_seconds) OVER whole
    ) END::float AS eta_seconds
FROM (
    SELECT *, CASE WHEN closed THEN 0 ELSE greatest(budget - complete - pruned, 0) END AS remaining,
        coalesce(mean_seconds, avg(mean_seconds) OVER (PARTITION BY study)) AS usual_seconds
    FROM (
        SELECT study_name AS study, budget.family, budget, closed,
            count(*) FILTER (WHERE in_force AND state = 'COMPLETE') AS complete,
            count(*) FILTER (WHERE in_force AND state = 'PRUNED') AS pruned,
            count(*) FILTER (WHERE state = 'RUNNING') AS running,
            count(*) FILTER (WHERE in_force AND state = 'WAITING') AS waiting,
            count(*) FILTER (WHERE state = 'FAIL') AS failed,
            max(score) FILTER (WHERE in_force AND state = 'COMPLETE') AS best_score,
            sum(epochs) AS epochs, sum(seconds) AS seconds, avg(seconds) AS mean_seconds,
            extract(epoch FROM sum(now() - started_at) FILTER (WHERE state = 'RUNNING'))
                AS begun_seconds,
            extract(epoch FROM min(now() - started_at) FILTER (WHERE state = 'RUNNING'))
                AS youngest_seconds
        FROM hpo.budget JOIN public.studies USING (study_id)
        LEFT JOIN hpo.trials ON trials.study = study_name AND trials.family = budget.family
        GROUP BY study_name, budget.family, budget, closed
    ) AS done
) AS families
WINDOW whole AS (PARTITION BY study);

CREATE VIEW hpo.studies AS
SELECT study_name AS study, stage,
    (SELECT study_name FROM public.studies AS search WHERE search.study_id = search_id) AS search,
    spec ->> 'description' AS description, spec ->> 'objective' AS objective,
    spec #>> '{sampler,name}' AS sampler, spec #>> '{pruner,name}' AS pruner,
    (spec ->> 'seed')::bigint AS seed, (spec #>> '{training,folds}')::integer AS folds,
    (spec #>> '{training,epochs}')::integer AS most_epochs,
    (spec #>> '{data,fraction}')::float AS data_fraction, data ->> 'label' AS data_label,
    data ->> 'sha256' AS data_sha256, (data ->> 'synthetic')::boolean AS synthetic,
    coalesce(budget, 0) AS budget, coalesce(trials, 0) AS trials, coalesce(counted, 0) AS counted,
    coalesce(running, 0) AS running, paused, coalesce(families.closed, '{}') AS closed,
    created_at, started_at, last_activity_at, study.finished_at, program_version, fingerprint,
    spec, data
FROM hpo.study JOIN public.studies USING (study_id)
LEFT JOIN (
    SELECT study AS study_name, sum(budget) AS budget, sum(counted)::bigint AS counted,
        sum(running)::bigint AS running,
        array_agg(family ORDER BY family) FILTER (WHERE closed) AS closed
    FROM hpo.progress GROUP BY study
) AS families USING (study_name)
LEFT JOIN (
    SELECT study AS study_name, count(*) AS trials, min(started_at) AS started_at,
        greatest(max(started_at), max(finished_at)) AS last_activity_at
    FROM hpo.trials GROUP BY study
) AS done USING (study_name);

CREATE VIEW hpo.workers AS
SELECT worker, split_part(worker, ':', 1) AS host, study, current.number AS trial, current.family,
    current.epoch, last_heartbeat_at,
    extract(epoch FROM now() - last_heartbeat_at)::float AS seconds_since_heartbeat, finished,
    failed, finished * 3600.0 / nullif(
        extract(epoch FROM last_heartbeat_at - first_seen_at), 0
    )::float AS trials_per_hour, first_seen_at
FROM (
    SELECT study, worker, max(trial_id) FILTER (WHERE state = 'RUNNING') AS trial_id,
        min(started_at) AS first_seen_at,
        greatest(max(heartbeat_at), max(finished_at)) AS last_heartbeat_at,
        count(*) FILTER (WHERE state IN ('COMPLETE', 'PRUNED')) AS finished,
        count(*) FILTER (WHERE state = 'FAIL') AS failed
    FROM hpo.trials WHERE worker IS NOT NULL GROUP BY study, worker
) AS seen
LEFT JOIN (SELECT trial_id, number, family, epoch FROM hpo.trials) AS current USING (trial_id);
