-- Everything about all trials of a study
-- One line a trial: configuration, scores by fold, cost, and how it ended; all but its curves.
SELECT
    number, family, state, score, epochs_trained, seconds, parameter_count, fold_scores,
    fold_epochs, fold_best_epochs, params - 'model' AS params, config, config_hash, seed, attempt,
    retry_of, worker, reason, started_at, finished_at
FROM hpo.trials
WHERE study = :study
ORDER BY number
