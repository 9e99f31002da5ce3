-- All studies
-- What each study searches, on which data, and how much of its budget is spent.
SELECT
    study, stage, data_label AS data, synthetic, objective, budget, counted, running, paused,
    started_at, last_activity_at
FROM hpo.studies
ORDER BY study
