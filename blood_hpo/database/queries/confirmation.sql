-- Confirmed configurations
-- The best configurations of each family, run again on fresh folds: confirmed mean with its interval,
-- how far the winner is ahead, and whether the two can be told apart.
SELECT
    family, rank, number, search_rank, search_score, mean, low, high, behind, behind_low,
    behind_high, told_apart, parameter_count, params
FROM hpo.confirmations
WHERE study = :study
ORDER BY family, rank
