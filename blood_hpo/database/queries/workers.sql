-- Workers of a study
-- Who works or worked on it: current trial and epoch, last heartbeat, trials finished and an hour.
SELECT
    worker, trial, family, epoch, seconds_since_heartbeat, finished, failed, trials_per_hour
FROM hpo.workers
WHERE study = :study
ORDER BY seconds_since_heartbeat, worker
