-- What the search cost, what it saved, and what went wrong on the way.

CREATE VIEW hpo.pruning AS
SELECT
    ended.study,
    ended.number,
    ended.family,
    ended.epoch,
    ended.score,
    ended.epochs_trained,
    ended.usual_epochs,
    greatest(ended.usual_epochs - ended.epochs_trained, 0) AS saved_epochs,
    ended.seconds,
    greatest(ended.usual_epochs - ended.epochs_trained, 0)
        * ended.seconds / nullif(ended.epochs_trained, 0) AS saved_seconds,
    ended.reason
FROM (
    SELECT
        *,
        avg(epochs_trained) FILTER (WHERE state = 'COMPLETE')
            OVER (PARTITION BY study, family)::double precision AS usual_epochs
    FROM hpo.trials
    WHERE state IN ('COMPLETE', 'PRUNED')
) AS ended
WHERE ended.state = 'PRUNED';

COMMENT ON VIEW hpo.pruning IS 'One row a pruned trial: when it was stopped, and an estimate of what that saved.';
COMMENT ON COLUMN hpo.pruning.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.pruning.number IS 'Number of the trial.';
COMMENT ON COLUMN hpo.pruning.family IS 'Model family.';
COMMENT ON COLUMN hpo.pruning.epoch IS 'Epoch after which it was stopped, from 1.';
COMMENT ON COLUMN hpo.pruning.score IS 'Mean of the objective over the held-out folds when it was stopped.';
COMMENT ON COLUMN hpo.pruning.epochs_trained IS 'Epochs trained, summed over the folds.';
COMMENT ON COLUMN hpo.pruning.usual_epochs IS 'Mean of the epochs that complete trials of the family were trained for, summed over the folds; null before one is complete.';
COMMENT ON COLUMN hpo.pruning.saved_epochs IS 'Estimate of the epochs saved, summed over the folds: usual_epochs less epochs_trained, at least 0.';
COMMENT ON COLUMN hpo.pruning.seconds IS 'Wall time of the trial in seconds.';
COMMENT ON COLUMN hpo.pruning.saved_seconds IS 'Estimate of the seconds saved: saved_epochs at this trial''s pace.';
COMMENT ON COLUMN hpo.pruning.reason IS 'Why it was stopped.';

CREATE VIEW hpo.cost AS
SELECT
    spent.study,
    spent.family,
    spent.state,
    count(*) AS trials,
    sum(spent.epochs_trained) AS epochs,
    sum(spent.seconds) AS seconds,
    avg(spent.seconds) AS mean_seconds,
    sum(spent.seconds) FILTER (WHERE spent.epochs_trained > 0)
        / nullif(sum(spent.epochs_trained), 0) AS seconds_per_epoch,
    sum(spent.seconds) / nullif(sum(sum(spent.seconds)) OVER (PARTITION BY spent.study), 0) AS share
FROM (
    SELECT
        study,
        family,
        state,
        epochs_trained,
        coalesce(seconds, extract(epoch FROM finished_at - started_at)::double precision) AS seconds
    FROM hpo.trials
) AS spent
GROUP BY spent.study, spent.family, spent.state;

COMMENT ON VIEW hpo.cost IS 'One row a family and state of trials: what they cost.';
COMMENT ON COLUMN hpo.cost.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.cost.family IS 'Model family.';
COMMENT ON COLUMN hpo.cost.state IS 'State of the trials.';
COMMENT ON COLUMN hpo.cost.trials IS 'Trials in that state.';
COMMENT ON COLUMN hpo.cost.epochs IS 'Epochs trained, summed over folds and trials; failed trials may not have said.';
COMMENT ON COLUMN hpo.cost.seconds IS 'Wall time in seconds, summed over the trials; of a trial that did not say, from start to end.';
COMMENT ON COLUMN hpo.cost.mean_seconds IS 'Mean wall time of a trial in seconds.';
COMMENT ON COLUMN hpo.cost.seconds_per_epoch IS 'Wall time in seconds of one epoch of one fold, scoring included.';
COMMENT ON COLUMN hpo.cost.share IS 'Share of all seconds of the study, 0 to 1.';

CREATE VIEW hpo.attempts AS
SELECT
    chained.study,
    chained.origin,
    chained.number,
    chained.attempt,
    count(*) OVER (PARTITION BY chained.study, chained.origin) AS attempts,
    chained.family,
    chained.config_hash,
    chained.state,
    chained.epoch,
    chained.reason,
    chained.worker,
    chained.started_at,
    chained.finished_at
FROM (SELECT *, coalesce(retry_of, number) AS origin FROM hpo.trials) AS chained;

COMMENT ON VIEW hpo.attempts IS 'One row a trial with its place in the chain of attempts at one configuration; attempts > 1 finds the chains with a failure.';
COMMENT ON COLUMN hpo.attempts.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.attempts.origin IS 'Number of the first attempt, which names the chain.';
COMMENT ON COLUMN hpo.attempts.number IS 'Number of the trial.';
COMMENT ON COLUMN hpo.attempts.attempt IS 'Place in the chain, from 1.';
COMMENT ON COLUMN hpo.attempts.attempts IS 'Attempts of the chain so far.';
COMMENT ON COLUMN hpo.attempts.family IS 'Model family.';
COMMENT ON COLUMN hpo.attempts.config_hash IS 'Identity of family and configuration.';
COMMENT ON COLUMN hpo.attempts.state IS 'State of the attempt.';
COMMENT ON COLUMN hpo.attempts.epoch IS 'Last epoch that was reported.';
COMMENT ON COLUMN hpo.attempts.reason IS 'Why it failed or was pruned.';
COMMENT ON COLUMN hpo.attempts.worker IS 'Worker that holds or held it.';
COMMENT ON COLUMN hpo.attempts.started_at IS 'When training began.';
COMMENT ON COLUMN hpo.attempts.finished_at IS 'When it ended.';

CREATE VIEW hpo.repeats_avoided AS
SELECT
    study,
    family,
    count(*) AS trials,
    count(repeats_avoided) AS counted,
    sum(repeats_avoided) AS repeats_avoided,
    max(repeats_avoided) AS most,
    sum(repeats_avoided)::double precision
        / nullif(count(repeats_avoided) + sum(repeats_avoided), 0) AS share
FROM hpo.trials
WHERE attempt = 1 OR attempt IS NULL
GROUP BY study, family;

COMMENT ON VIEW hpo.repeats_avoided IS 'One row a family: configurations that the sampler drew although they had been tried, and that were drawn again instead of trained again.';
COMMENT ON COLUMN hpo.repeats_avoided.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.repeats_avoided.family IS 'Model family.';
COMMENT ON COLUMN hpo.repeats_avoided.trials IS 'Trials, later attempts left out.';
COMMENT ON COLUMN hpo.repeats_avoided.counted IS 'Trials of them at whose proposal repeats were counted.';
COMMENT ON COLUMN hpo.repeats_avoided.repeats_avoided IS 'Repeats avoided; null where nobody counted.';
COMMENT ON COLUMN hpo.repeats_avoided.most IS 'Most repeats avoided for one trial.';
COMMENT ON COLUMN hpo.repeats_avoided.share IS 'Share of all drawn configurations that had been tried, 0 to 1.';
