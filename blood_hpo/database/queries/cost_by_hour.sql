-- What the search cost hour by hour
-- Trials that ended in each hour, their epochs (summed over the folds) and seconds.
SELECT
    date_trunc('hour', finished_at) AS hour, family, count(*) AS trials, sum(epochs) AS epochs,
    sum(seconds) AS seconds
FROM hpo.trials
WHERE study = :study AND finished_at IS NOT NULL
GROUP BY hour, family
ORDER BY hour, family
