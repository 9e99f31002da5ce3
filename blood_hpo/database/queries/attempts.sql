-- All attempts at one trial
-- The trial, the attempts before and after it, and how each ended.
SELECT number, attempt, state, failure, reason, worker, started_at, finished_at
FROM hpo.attempts
WHERE study = :study AND origin = (
    SELECT origin FROM hpo.attempts WHERE study = :study AND number = :number
)
ORDER BY attempt
