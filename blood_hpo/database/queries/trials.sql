-- All trials of a study
-- One line a trial with what was searched, its score, its cost and how it ended.
SELECT
    number, family, state, score, epoch, epochs, seconds, attempt, retry_of, worker, reason, params
FROM hpo.trials
WHERE study = :study
ORDER BY number
