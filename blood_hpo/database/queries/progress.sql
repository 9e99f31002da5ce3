-- Progress of a study
-- Each family's budget, the states of its trials, its best score and the time left.
-- Times are in seconds; summed over the families, eta_seconds is the time left for the study.
SELECT
    family, budget, counted, complete, pruned, running, waiting, failed, remaining, closed,
    best_score, epochs, mean_seconds, eta_seconds
FROM hpo.progress
WHERE study = :study
ORDER BY family
