-- Best configurations of each family
-- The top complete trials: mean score over the held-out folds, its sample standard deviation over
-- the folds, its standard error, whether it is within the best's, and what was searched.
SELECT
    family, rank, number, score, sd, standard_error, near_best, epochs, seconds, parameter_count,
    params
FROM hpo.leaderboard
WHERE study = :study AND rank <= :top
ORDER BY family, rank, number
