-- Trials as the program reads them: the columns of TrialRecord.

-- name: trial_record
-- One trial of a study.
SELECT
    trial_id, study, number, family, state, score, epoch, epochs, seconds, parameter_count,
    fold_scores, fold_epochs, fold_best_epochs, params, config, config_hash, replicate, seed,
    in_force, attempt, retry_of, repeats_avoided, worker, failure, reason, source_number, recipe,
    most_epochs, patience, start_epoch, started_at, finished_at
FROM hpo.trials
WHERE study = :study AND number = :number

-- name: trial_records
-- All trials of a study by number.
SELECT
    trial_id, study, number, family, state, score, epoch, epochs, seconds, parameter_count,
    fold_scores, fold_epochs, fold_best_epochs, params, config, config_hash, replicate, seed,
    in_force, attempt, retry_of, repeats_avoided, worker, failure, reason, source_number, recipe,
    most_epochs, patience, start_epoch, started_at, finished_at
FROM hpo.trials
WHERE study = :study
ORDER BY number
