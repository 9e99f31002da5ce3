-- What a report and the commands read besides trials; each number as its view defines it.

-- name: family_totals
-- How far each family of a study is, what it cost, and what pruning saved.
SELECT
    family, budget, complete, pruned, failed, running + waiting AS unfinished, remaining,
    coalesce(progress.epochs, 0)::bigint AS epochs, coalesce(seconds, 0) AS seconds,
    coalesce(stopped.epochs, 0) AS pruned_epochs, coalesce(saved_epochs, 0) AS saved_epochs,
    coalesce(saved_seconds, 0) AS saved_seconds
FROM hpo.progress
LEFT JOIN (
    SELECT
        family, sum(epochs) AS epochs, sum(saved_epochs) AS saved_epochs,
        sum(saved_seconds) AS saved_seconds
    FROM hpo.pruning
    WHERE study = :study
    GROUP BY family
) AS stopped USING (family)
WHERE study = :study

-- name: leaderboard_places
-- The complete trials of a study, the best of each family first.
SELECT family, number, rank, sd FROM hpo.leaderboard WHERE study = :study ORDER BY rank, number

-- name: study_costs
-- What the ended trials of some studies cost.
SELECT
    study, sum(trials)::bigint AS trials,
    coalesce(sum(trials) FILTER (WHERE state = 'FAIL'), 0)::bigint AS failed,
    coalesce(sum(epochs), 0)::bigint AS epochs, coalesce(sum(seconds), 0) AS seconds
FROM hpo.cost
WHERE study = ANY(:studies) AND state IN ('COMPLETE', 'PRUNED', 'FAIL')
GROUP BY study

-- name: early_scores
-- The score of every complete and pruned trial at the last epoch that all of its family reached,
-- which is where the first was pruned.
WITH spent AS (
    SELECT * FROM hpo.reported_scores WHERE study = :study AND state IN ('COMPLETE', 'PRUNED')
), reached AS (
    SELECT family, number, max(epoch) AS epochs FROM spent GROUP BY family, number
)
SELECT spent.number, spent.epoch, spent.score
FROM spent
JOIN (SELECT family, min(epochs) AS epoch FROM reached GROUP BY family) AS shared
    USING (family, epoch)
WHERE spent.score BETWEEN 0 AND 1
ORDER BY spent.number

-- name: repeats_avoided
-- How many samples a search threw away because they had been tried.
SELECT coalesce(sum(repeats_avoided), 0)::bigint FROM hpo.repeats_avoided WHERE study = :study

-- name: fold_curves
-- The training of each fold of a trial.
SELECT
    train_loss, coalesce(validation_accuracy, validation) AS validation, train_accuracy,
    validation_loss
FROM hpo.fold
WHERE trial_id = :trial_id
ORDER BY fold

-- name: collapsed_folds
-- How many folds of a study's trials learnt nothing, by trial.
SELECT number, count(*) AS folds
FROM hpo.fold_scores
WHERE study = :study AND collapsed
GROUP BY number
ORDER BY number

-- name: grid_studies
-- The study files of the grids of one kind on a data set, by name.
SELECT study, spec FROM hpo.studies
WHERE stage = 'search' AND sampler = :sampler AND data_sha256 = :sha256
ORDER BY study

-- name: confirmed_candidates
-- The configurations that a confirmation ran again, the winner of each family first.
SELECT
    family, number, rank, params, config_hash, parameter_count, search_score, search_rank,
    ARRAY(SELECT unnest(scores)) AS scores, array_length(scores, 1) AS splits,
    (SELECT count(*) FROM unnest(collapsed) AS fold WHERE fold) AS collapsed, mean, sd, low, high,
    behind, behind_low, behind_high, p_value, separable, winner, left_out
FROM hpo.confirmations
WHERE study = :study
ORDER BY winner DESC, rank, search_rank

-- name: tested_models
-- The tested models of the plan in force.
SELECT
    final_number, file, sha256, bytes, best_epoch, validation_accuracy, medmnist_auc, medmnist_acc,
    medmnist_file, test_openings, architecture, versions
FROM hpo.models
WHERE study = :study AND in_force
