CREATE VIEW hpo.pruning AS
SELECT study, number, family, epoch, score, epochs, usual_epochs,
    greatest(usual_epochs - epochs, 0) AS saved_epochs, seconds,
    greatest(usual_epochs - epochs, 0) * seconds / nullif(epochs, 0) AS saved_seconds, reason
FROM (
    SELECT study, number, family, state, epoch, score, epochs, seconds, reason,
        avg(epochs) FILTER (WHERE state = 'COMPLETE') OVER (PARTITION BY study, family)
            ::float AS usual_epochs
    FROM hpo.trials WHERE state IN ('COMPLETE', 'PRUNED')
) AS ended
WHERE state = 'PRUNED';

CREATE VIEW hpo.cost AS
SELECT study, family, state, count(*) AS trials, sum(epochs) AS epochs, sum(seconds) AS seconds,
    avg(seconds) AS mean_seconds,
    sum(seconds) FILTER (WHERE epochs > 0) / nullif(sum(epochs), 0) AS seconds_per_epoch,
    sum(seconds) / nullif(sum(sum(seconds)) OVER (PARTITION BY study), 0) AS share
FROM (
    SELECT study, family, state, epochs,
        coalesce(seconds, extract(epoch FROM finished_at - started_at)::float) AS seconds
    FROM hpo.trials
) AS spent
GROUP BY study, family, state;

CREATE VIEW hpo.attempts AS
SELECT study, min(number) OVER chain AS origin, number, attempt, count(*) OVER chain AS attempts,
    family, config_hash, state, failure, reason, worker, started_at, finished_at, in_force
FROM hpo.trials WINDOW chain AS (PARTITION BY study, configuration_id);
