-- What pruning saved
-- Each family's pruned trials, the mean epoch after which they were stopped, and estimates of the
-- epochs (summed over the folds) and seconds saved.
SELECT
    family, count(*) AS trials, avg(epoch)::double precision AS mean_epoch,
    sum(epochs) AS epochs, sum(saved_epochs) AS saved_epochs, sum(saved_seconds) AS saved_seconds
FROM hpo.pruning
WHERE study = :study
GROUP BY family
ORDER BY family
