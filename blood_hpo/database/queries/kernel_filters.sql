-- Kernel size against filters
-- Scores of the complete trials with each pair, and the best of them.
SELECT kernel_size, filters, trials, mean, sd, standard_error, best, best_trial
FROM hpo.kernel_filters
WHERE study = :study
ORDER BY kernel_size, filters
