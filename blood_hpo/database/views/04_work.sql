-- What the search cost, what it saved, and what went wrong on the way.

CREATE VIEW hpo.pruning AS
SELECT
    ended.study, ended.number, ended.family, ended.epoch, ended.score, ended.epochs,
    ended.usual_epochs, greatest(ended.usual_epochs - ended.epochs, 0) AS saved_epochs, ended.seconds,
    greatest(ended.usual_epochs - ended.epochs, 0) * ended.seconds / nullif(ended.epochs, 0)
        AS saved_seconds,
    ended.reason
FROM (
    SELECT
        study, number, family, state, epoch, score, epochs, seconds, reason,
        avg(epochs) FILTER (WHERE state = 'COMPLETE') OVER (PARTITION BY study, family)
            ::double precision AS usual_epochs
    FROM hpo.trials
    WHERE state IN ('COMPLETE', 'PRUNED')
) AS ended
WHERE ended.state = 'PRUNED';
COMMENT ON VIEW hpo.pruning IS 'One row a pruned trial: when it was stopped, and an estimate of what that saved.';
COMMENT ON COLUMN hpo.pruning.epoch IS 'Epoch after which it was stopped, from 1.';
COMMENT ON COLUMN hpo.pruning.score IS 'Mean of the objective over the held-out folds when it was stopped.';
COMMENT ON COLUMN hpo.pruning.usual_epochs IS 'Mean epochs of the family''s complete trials, each summed over the folds; null before one is complete.';
COMMENT ON COLUMN hpo.pruning.saved_epochs IS 'Estimate of the epochs saved, summed over the folds: usual_epochs less epochs, at least 0.';
COMMENT ON COLUMN hpo.pruning.saved_seconds IS 'Estimate of the seconds saved: saved_epochs at this trial''s pace.';
COMMENT ON COLUMN hpo.pruning.reason IS 'Why it was stopped.';

CREATE VIEW hpo.cost AS
SELECT
    spent.study, spent.family, spent.state, count(*) AS trials, sum(spent.epochs) AS epochs,
    sum(spent.seconds) AS seconds, avg(spent.seconds) AS mean_seconds,
    sum(spent.seconds) FILTER (WHERE spent.epochs > 0) / nullif(sum(spent.epochs), 0)
        AS seconds_per_epoch,
    sum(spent.seconds) / nullif(sum(sum(spent.seconds)) OVER (PARTITION BY spent.study), 0) AS share
FROM (
    SELECT
        study, family, state, epochs,
        coalesce(seconds, extract(epoch FROM finished_at - started_at)::double precision) AS seconds
    FROM hpo.trials
) AS spent
GROUP BY spent.study, spent.family, spent.state;
COMMENT ON VIEW hpo.cost IS 'One row a family and state of trials: what they cost.';
COMMENT ON COLUMN hpo.cost.state IS 'State of the trials.';
COMMENT ON COLUMN hpo.cost.trials IS 'Trials in that state.';
COMMENT ON COLUMN hpo.cost.epochs IS 'Epochs trained, summed over folds and trials; failed trials do not say.';
COMMENT ON COLUMN hpo.cost.seconds IS 'Wall time in seconds, summed over the trials; of a failed one from start to end.';
COMMENT ON COLUMN hpo.cost.mean_seconds IS 'Mean wall time of a trial in seconds.';
COMMENT ON COLUMN hpo.cost.seconds_per_epoch IS 'Wall time in seconds of one epoch of one fold, scoring included.';
COMMENT ON COLUMN hpo.cost.share IS 'Share of all seconds of the study, 0 to 1.';

CREATE VIEW hpo.attempts AS
SELECT
    study, min(number) OVER chain AS origin, number, attempt, count(*) OVER chain AS attempts, family,
    config_hash, state, failure, reason, worker, started_at, finished_at, in_force
FROM hpo.trials
WINDOW chain AS (PARTITION BY study, configuration_id);
COMMENT ON VIEW hpo.attempts IS 'One row a trial with its place among the attempts at one configuration; attempts > 1 finds those with a failure.';
COMMENT ON COLUMN hpo.attempts.origin IS 'Number of the first attempt, which names the chain.';
COMMENT ON COLUMN hpo.attempts.attempts IS 'Attempts at the configuration so far.';
COMMENT ON COLUMN hpo.attempts.failure IS 'error, or lost with its worker; null unless it failed.';

-- Counted at the first attempt, so that retries do not count it again.
CREATE VIEW hpo.repeats_avoided AS
SELECT
    study, family, count(*) AS configurations, sum(repeats_avoided) AS repeats_avoided,
    max(repeats_avoided) AS most,
    sum(repeats_avoided)::double precision / (count(*) + sum(repeats_avoided)) AS share
FROM hpo.trials
WHERE attempt = 1
GROUP BY study, family;
COMMENT ON VIEW hpo.repeats_avoided IS 'One row a family: configurations that the sampler drew although they had been tried, and that were drawn again instead of trained again.';
COMMENT ON COLUMN hpo.repeats_avoided.configurations IS 'Configurations tried.';
COMMENT ON COLUMN hpo.repeats_avoided.repeats_avoided IS 'Repeats avoided.';
COMMENT ON COLUMN hpo.repeats_avoided.most IS 'Most repeats avoided for one configuration.';
COMMENT ON COLUMN hpo.repeats_avoided.share IS 'Share of all drawn configurations that had been tried, 0 to 1.';
