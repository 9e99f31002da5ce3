-- All attempts at one trial
-- The trial, the attempts before and after it, and how each ended.
SELECT number, attempt, state, epoch, score, worker, reason, started_at, finished_at
FROM hpo.trials
WHERE study = :study
    AND coalesce(retry_of, number) = (
        SELECT coalesce(retry_of, number)
        FROM hpo.trials
        WHERE study = :study AND number = :number
    )
ORDER BY number
