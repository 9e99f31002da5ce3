-- Configurations that took more than one attempt
-- Each attempt with its end and its worker, chain by chain; a chain is named after its first trial.
SELECT origin, attempt, number, family, state, failure, reason, worker, in_force
FROM hpo.attempts
WHERE study = :study AND attempts > 1
ORDER BY origin, attempt
