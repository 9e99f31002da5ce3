-- How far each family of each study is, and who is working on it.

CREATE VIEW hpo.progress AS
SELECT
    studies.study,
    budgets.family,
    budgets.budget,
    coalesce(done.complete + done.pruned, 0) AS counted,
    coalesce(done.complete, 0) AS complete,
    coalesce(done.pruned, 0) AS pruned,
    coalesce(done.running, 0) AS running,
    coalesce(done.waiting, 0) AS waiting,
    coalesce(done.failed, 0) AS failed,
    rest.remaining,
    studies.closed ? budgets.family AS closed,
    done.best_score,
    done.epochs_trained,
    done.seconds,
    done.mean_seconds,
    rest.remaining * done.mean_seconds / greatest(studies.running, 1) AS eta_seconds
FROM hpo.studies
CROSS JOIN LATERAL (
    SELECT key AS family, (value ->> 'budget')::bigint AS budget
    FROM jsonb_each(studies.spec -> 'families')
) AS budgets
LEFT JOIN (
    SELECT
        studies.study_name AS study,
        family.value_json AS family_json,
        count(*) FILTER (WHERE state = 'COMPLETE') AS complete,
        count(*) FILTER (WHERE state = 'PRUNED') AS pruned,
        count(*) FILTER (WHERE state = 'RUNNING') AS running,
        count(*) FILTER (WHERE state = 'WAITING') AS waiting,
        count(*) FILTER (WHERE state = 'FAIL') AS failed,
        max(trial_values.value) FILTER (WHERE state = 'COMPLETE') AS best_score,
        sum(epochs.value_json::bigint)::bigint AS epochs_trained,
        sum(seconds.value_json::double precision) AS seconds,
        avg(seconds.value_json::double precision)
            FILTER (WHERE state IN ('COMPLETE', 'PRUNED')) AS mean_seconds
    FROM public.trials
    JOIN public.studies USING (study_id)
    JOIN public.trial_user_attributes AS family
        ON family.trial_id = trials.trial_id AND family.key = 'family'
    LEFT JOIN public.trial_user_attributes AS epochs
        ON epochs.trial_id = trials.trial_id AND epochs.key = 'epochs_trained'
    LEFT JOIN public.trial_user_attributes AS seconds
        ON seconds.trial_id = trials.trial_id AND seconds.key = 'seconds'
    LEFT JOIN public.trial_values
        ON trial_values.trial_id = trials.trial_id AND objective = 0
    GROUP BY studies.study_name, family.value_json
) AS done ON done.study = studies.study AND done.family_json = to_json(budgets.family)::text
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN studies.closed ? budgets.family THEN 0
        ELSE greatest(budgets.budget - coalesce(done.complete + done.pruned, 0), 0)
    END AS remaining
) AS rest;

COMMENT ON VIEW hpo.progress IS 'One row a family of each study: budget, states, best score, time left.';
COMMENT ON COLUMN hpo.progress.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.progress.family IS 'Model family.';
COMMENT ON COLUMN hpo.progress.budget IS 'Trials that the family may spend.';
COMMENT ON COLUMN hpo.progress.counted IS 'Trials spent: complete or pruned.';
COMMENT ON COLUMN hpo.progress.complete IS 'Trials trained to their end.';
COMMENT ON COLUMN hpo.progress.pruned IS 'Trials stopped early by the pruner.';
COMMENT ON COLUMN hpo.progress.running IS 'Trials being trained.';
COMMENT ON COLUMN hpo.progress.waiting IS 'Trials waiting for a worker.';
COMMENT ON COLUMN hpo.progress.failed IS 'Trials that failed; they spend no budget.';
COMMENT ON COLUMN hpo.progress.remaining IS 'Trials that are still to end, running and waiting ones included; 0 once the family is closed.';
COMMENT ON COLUMN hpo.progress.closed IS 'Whether nothing is left to try although budget is: the space is exhausted, or a final model failed for good.';
COMMENT ON COLUMN hpo.progress.best_score IS 'Best mean over the held-out folds among complete trials.';
COMMENT ON COLUMN hpo.progress.epochs_trained IS 'Epochs trained, summed over folds and finished trials.';
COMMENT ON COLUMN hpo.progress.seconds IS 'Wall time of finished trials in seconds, summed.';
COMMENT ON COLUMN hpo.progress.mean_seconds IS 'Mean wall time in seconds of a complete or pruned trial.';
COMMENT ON COLUMN hpo.progress.eta_seconds IS 'Estimate of the seconds that the rest of this budget keeps the study''s running trials busy (one, if none runs); summed over the families, the time left. Null before the first trial has finished.';

CREATE VIEW hpo.workers AS
SELECT
    seen.worker,
    split_part(seen.worker, ':', 1) AS host,
    seen.study,
    current.number AS trial,
    current.family,
    current.epoch,
    seen.last_heartbeat_at,
    extract(epoch FROM now() - seen.last_heartbeat_at)::double precision AS seconds_since_heartbeat,
    seen.finished,
    seen.failed,
    seen.finished * 3600.0 / nullif(
        extract(epoch FROM seen.last_heartbeat_at - seen.first_seen_at), 0
    )::double precision AS trials_per_hour,
    seen.first_seen_at
FROM (
    SELECT
        trials.study_id,
        studies.study_name AS study,
        holder.value_json::jsonb #>> '{}' AS worker,
        max(trials.trial_id) FILTER (WHERE trials.state = 'RUNNING') AS current_trial_id,
        min(trials.datetime_start) AT TIME ZONE 'UTC' AS first_seen_at,
        greatest(max(trial_heartbeats.heartbeat), max(trials.datetime_complete))
            AT TIME ZONE 'UTC' AS last_heartbeat_at,
        count(*) FILTER (WHERE trials.state IN ('COMPLETE', 'PRUNED')) AS finished,
        count(*) FILTER (WHERE trials.state = 'FAIL') AS failed
    FROM public.trials
    JOIN public.studies USING (study_id)
    JOIN public.trial_user_attributes AS holder
        ON holder.trial_id = trials.trial_id AND holder.key = 'worker'
    LEFT JOIN public.trial_heartbeats ON trial_heartbeats.trial_id = trials.trial_id
    WHERE holder.value_json <> 'null'
    GROUP BY trials.study_id, studies.study_name, holder.value_json
) AS seen
LEFT JOIN LATERAL (
    SELECT
        trials.number,
        (
            SELECT value_json::jsonb #>> '{}'
            FROM public.trial_user_attributes AS family
            WHERE family.trial_id = trials.trial_id AND family.key = 'family'
        ) AS family,
        (
            SELECT max(step)
            FROM public.trial_intermediate_values AS reported
            WHERE reported.trial_id = trials.trial_id
        ) AS epoch
    FROM public.trials
    WHERE trials.trial_id = seen.current_trial_id
) AS current ON true;

COMMENT ON VIEW hpo.workers IS 'One row a worker and study: what it does and when it was last heard of.';
COMMENT ON COLUMN hpo.workers.worker IS 'Host, process and start of the worker.';
COMMENT ON COLUMN hpo.workers.host IS 'Machine or container that the worker runs on.';
COMMENT ON COLUMN hpo.workers.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.workers.trial IS 'Number of the trial that it is training; null while it trains none.';
COMMENT ON COLUMN hpo.workers.family IS 'Model family of that trial.';
COMMENT ON COLUMN hpo.workers.epoch IS 'Last epoch of that trial that was reported.';
COMMENT ON COLUMN hpo.workers.last_heartbeat_at IS 'Last heartbeat, or end of a trial if that was later.';
COMMENT ON COLUMN hpo.workers.seconds_since_heartbeat IS 'Seconds since then, by the server''s clock.';
COMMENT ON COLUMN hpo.workers.finished IS 'Trials that it completed or pruned.';
COMMENT ON COLUMN hpo.workers.failed IS 'Trials that failed in its hands.';
COMMENT ON COLUMN hpo.workers.trials_per_hour IS 'Finished trials an hour, from its first start to its last heartbeat.';
COMMENT ON COLUMN hpo.workers.first_seen_at IS 'Start of its first trial in the study.';
