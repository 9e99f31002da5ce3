-- Budgets kept
-- Trials that have spent or hold budget, against the budget of each family; over should be 0.
SELECT
    family, budget, counted, running + waiting AS unfinished,
    greatest(counted + running + waiting - budget, 0) AS over
FROM hpo.progress
WHERE study = :study
ORDER BY family
