-- How far each family of each study is, and who is working on it.

CREATE VIEW hpo.progress AS
SELECT
    studies.study_name AS study, budget.family, budget.budget,
    rest.complete + rest.pruned AS counted, rest.complete, rest.pruned, rest.running, rest.waiting,
    coalesce(done.failed, 0) AS failed, rest.remaining, budget.closed, done.best_score, done.epochs,
    done.seconds, done.mean_seconds,
    CASE rest.remaining WHEN 0 THEN 0 ELSE
        rest.remaining * done.mean_seconds
        / greatest(sum(rest.running) OVER (PARTITION BY studies.study_name), 1)
    END::double precision AS eta_seconds
FROM hpo.budget
JOIN public.studies USING (study_id)
LEFT JOIN (
    SELECT
        study, family, count(*) FILTER (WHERE in_force AND state = 'COMPLETE') AS complete,
        count(*) FILTER (WHERE in_force AND state = 'PRUNED') AS pruned,
        count(*) FILTER (WHERE state = 'RUNNING') AS running,
        count(*) FILTER (WHERE in_force AND state = 'WAITING') AS waiting,
        count(*) FILTER (WHERE state = 'FAIL') AS failed,
        max(score) FILTER (WHERE state = 'COMPLETE') AS best_score,
        sum(epochs) AS epochs, sum(seconds) AS seconds, avg(seconds) AS mean_seconds
    FROM hpo.trials
    GROUP BY study, family
) AS done ON done.study = studies.study_name AND done.family = budget.family
CROSS JOIN LATERAL (
    SELECT
        coalesce(done.complete, 0) AS complete, coalesce(done.pruned, 0) AS pruned,
        coalesce(done.running, 0) AS running, coalesce(done.waiting, 0) AS waiting,
        CASE WHEN budget.closed THEN 0
            ELSE greatest(budget.budget - coalesce(done.complete + done.pruned, 0), 0)
        END AS remaining
) AS rest;
COMMENT ON VIEW hpo.progress IS 'One row a family of each study: budget, states, best score, time left.';
COMMENT ON COLUMN hpo.progress.budget IS 'Configurations that the family may train.';
COMMENT ON COLUMN hpo.progress.counted IS 'Configurations that hold a place of the budget and are trained: complete or pruned.';
COMMENT ON COLUMN hpo.progress.complete IS 'Those of them that were trained to their end.';
COMMENT ON COLUMN hpo.progress.pruned IS 'Those of them that the pruner stopped.';
COMMENT ON COLUMN hpo.progress.running IS 'Trials being trained.';
COMMENT ON COLUMN hpo.progress.waiting IS 'Trials waiting for a worker.';
COMMENT ON COLUMN hpo.progress.failed IS 'Trials that failed; they spend no budget.';
COMMENT ON COLUMN hpo.progress.remaining IS 'Places of the budget that are still to be counted, those of running and waiting trials included; 0 once the family is closed.';
COMMENT ON COLUMN hpo.progress.closed IS 'Whether nothing is left to try although budget is: the space is exhausted, or a final model failed for good.';
COMMENT ON COLUMN hpo.progress.best_score IS 'Score of the best trial: of rank 1 in hpo.leaderboard.';
COMMENT ON COLUMN hpo.progress.epochs IS 'Epochs trained, summed over folds and over complete and pruned trials.';
COMMENT ON COLUMN hpo.progress.seconds IS 'Wall time of complete and pruned trials in seconds, summed.';
COMMENT ON COLUMN hpo.progress.mean_seconds IS 'Mean wall time of a complete or pruned trial in seconds.';
COMMENT ON COLUMN hpo.progress.eta_seconds IS 'This family''s share of the seconds of wall time left: remaining times mean_seconds, by as many trials at once as the study runs now (one, if none). Their sum over the families is the time left for the study. Null before the family''s first trial has finished.';

CREATE VIEW hpo.studies AS
SELECT
    named.study_name AS study, study.stage, search.study_name AS search,
    study.spec ->> 'description' AS description, study.spec ->> 'objective' AS objective,
    study.spec #>> '{sampler,name}' AS sampler, study.spec #>> '{pruner,name}' AS pruner,
    (study.spec ->> 'seed')::bigint AS seed,
    (study.spec #>> '{training,folds}')::integer AS folds,
    (study.spec #>> '{training,epochs}')::integer AS most_epochs,
    (study.spec #>> '{data,fraction}')::double precision AS data_fraction,
    study.data ->> 'label' AS data_label, study.data ->> 'sha256' AS data_sha256,
    (study.data ->> 'synthetic')::boolean AS synthetic,
    families.budget, done.trials, families.counted, families.running, study.paused,
    coalesce(families.closed, '{}') AS closed, study.created_at, done.started_at,
    done.last_activity_at, study.program_version, study.fingerprint, study.spec, study.data
FROM hpo.study
JOIN public.studies AS named USING (study_id)
JOIN public.studies AS search ON search.study_id = study.search_id
LEFT JOIN (
    SELECT
        study, sum(budget) AS budget, sum(counted)::bigint AS counted,
        sum(running)::bigint AS running,
        array_agg(family ORDER BY family) FILTER (WHERE closed) AS closed
    FROM hpo.progress
    GROUP BY study
) AS families ON families.study = named.study_name
LEFT JOIN LATERAL (
    SELECT
        count(*) AS trials, min(trials.started_at) AS started_at,
        greatest(max(trials.started_at), max(trials.finished_at)) AS last_activity_at
    FROM hpo.trials
    WHERE trials.study = named.study_name
) AS done ON true;
COMMENT ON VIEW hpo.studies IS 'One row a study: what it searches, on which data, how far it is.';
COMMENT ON COLUMN hpo.studies.stage IS 'search; or confirm or final, which follow it.';
COMMENT ON COLUMN hpo.studies.search IS 'Name of the search that it belongs to; of a search its own.';
COMMENT ON COLUMN hpo.studies.description IS 'One line for people, from the study file.';
COMMENT ON COLUMN hpo.studies.objective IS 'Score on the held-out folds that is maximised.';
COMMENT ON COLUMN hpo.studies.sampler IS 'What proposes configurations.';
COMMENT ON COLUMN hpo.studies.pruner IS 'What stops hopeless trials.';
COMMENT ON COLUMN hpo.studies.seed IS 'Seed of the data subset, the folds, the sampler and all trainings.';
COMMENT ON COLUMN hpo.studies.folds IS 'Folds of the cross-validation.';
COMMENT ON COLUMN hpo.studies.most_epochs IS 'Most epochs that a fold is trained for.';
COMMENT ON COLUMN hpo.studies.data_fraction IS 'Share of the training and validation splits that is used, 0 to 1.';
COMMENT ON COLUMN hpo.studies.data_label IS 'Name of the data set, for people.';
COMMENT ON COLUMN hpo.studies.data_sha256 IS 'SHA-256 of the data set''s file.';
COMMENT ON COLUMN hpo.studies.synthetic IS 'Whether the images are generated: such scores say nothing about blood cells.';
COMMENT ON COLUMN hpo.studies.budget IS 'Configurations that all families together may train.';
COMMENT ON COLUMN hpo.studies.trials IS 'Trials in any state.';
COMMENT ON COLUMN hpo.studies.counted IS 'Configurations trained: the sum over hpo.progress.';
COMMENT ON COLUMN hpo.studies.running IS 'Trials being trained.';
COMMENT ON COLUMN hpo.studies.paused IS 'Why no new trials are started; null while the study is not paused.';
COMMENT ON COLUMN hpo.studies.closed IS 'List of the families that have budget left and nothing left to try.';
COMMENT ON COLUMN hpo.studies.created_at IS 'When the study was created.';
COMMENT ON COLUMN hpo.studies.started_at IS 'Start of the first trial.';
COMMENT ON COLUMN hpo.studies.last_activity_at IS 'Latest start or end of a trial.';
COMMENT ON COLUMN hpo.studies.program_version IS 'Version of blood_hpo that created the study.';
COMMENT ON COLUMN hpo.studies.fingerprint IS 'What two studies must share for their scores to be comparable.';
COMMENT ON COLUMN hpo.studies.spec IS 'The whole study file.';
COMMENT ON COLUMN hpo.studies.data IS 'Everything known about the data set.';

CREATE VIEW hpo.workers AS
SELECT
    seen.worker, split_part(seen.worker, ':', 1) AS host, seen.study, current.number AS trial,
    current.family, current.epoch, seen.last_heartbeat_at,
    extract(epoch FROM now() - seen.last_heartbeat_at)::double precision AS seconds_since_heartbeat,
    seen.finished, seen.failed,
    seen.finished * 3600.0 / nullif(
        extract(epoch FROM seen.last_heartbeat_at - seen.first_seen_at), 0
    )::double precision AS trials_per_hour,
    seen.first_seen_at
FROM (
    SELECT
        study, worker, max(trial_id) FILTER (WHERE state = 'RUNNING') AS trial_id,
        min(started_at) AS first_seen_at,
        greatest(max(heartbeat_at), max(finished_at)) AS last_heartbeat_at,
        count(*) FILTER (WHERE state IN ('COMPLETE', 'PRUNED')) AS finished,
        count(*) FILTER (WHERE state = 'FAIL') AS failed
    FROM hpo.trials
    WHERE worker IS NOT NULL
    GROUP BY study, worker
) AS seen
LEFT JOIN hpo.trials AS current ON current.trial_id = seen.trial_id;
COMMENT ON VIEW hpo.workers IS 'One row a worker and study: what it does and when it was last heard of.';
COMMENT ON COLUMN hpo.workers.host IS 'Machine or container that the worker runs on.';
COMMENT ON COLUMN hpo.workers.trial IS 'Number of the trial that it is training; null while it trains none.';
COMMENT ON COLUMN hpo.workers.family IS 'Model family of that trial.';
COMMENT ON COLUMN hpo.workers.epoch IS 'Last epoch of that trial that was reported.';
COMMENT ON COLUMN hpo.workers.last_heartbeat_at IS 'Last heartbeat, or end of a trial if that was later.';
COMMENT ON COLUMN hpo.workers.seconds_since_heartbeat IS 'Seconds since then, by the server''s clock.';
COMMENT ON COLUMN hpo.workers.finished IS 'Trials that it completed or pruned.';
COMMENT ON COLUMN hpo.workers.failed IS 'Trials that failed in its hands.';
COMMENT ON COLUMN hpo.workers.trials_per_hour IS 'Finished trials an hour, from its first start to its last heartbeat.';
COMMENT ON COLUMN hpo.workers.first_seen_at IS 'Start of its first trial in the study.';
