-- What the search cost
-- Trials, epochs (summed over the folds) and seconds of each family by state, and the share of all
-- seconds.
SELECT family, state, trials, epochs, seconds, mean_seconds, seconds_per_epoch, share
FROM hpo.cost
WHERE study = :study
ORDER BY family, state
