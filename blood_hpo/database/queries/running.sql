-- Trials in training
-- Each running trial with its last epoch, the score it would have if it ended now, and how long
-- ago its worker was heard of, in seconds.
SELECT
    trials.number, trials.family, trials.epoch, reported.score, trials.attempt, trials.worker,
    extract(epoch FROM now() - trials.started_at)::double precision AS seconds_running,
    workers.seconds_since_heartbeat
FROM hpo.trials
LEFT JOIN hpo.reported_scores AS reported USING (study, number, epoch)
LEFT JOIN hpo.workers USING (study, worker)
WHERE study = :study AND trials.state = 'RUNNING'
ORDER BY trials.number
