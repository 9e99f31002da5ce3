-- Confirmed configurations
-- The best configurations of each family, run again on fresh folds: confirmed mean with its interval,
-- how far the best mean is ahead, whether it can be separated from it, and which one wins.
SELECT
    family, rank, number, winner, search_rank, search_score, mean, low, high, behind, behind_low,
    behind_high, p_value, separable, left_out, parameter_count, params
FROM hpo.confirmations
WHERE study = :study
ORDER BY family, rank, search_rank
