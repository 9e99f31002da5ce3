-- attempts: All attempts at one trial
SELECT number, attempt, state, failure, reason, worker, started_at, finished_at
FROM hpo.attempts WHERE study = :study AND origin = (
    SELECT origin FROM hpo.attempts WHERE study = :study AND number = :number
) ORDER BY attempt

-- best: The best configuration of each family
-- The confirmed winner, or while there is none the best of the search.
SELECT DISTINCT ON (family) family, number, coalesce(winner, false) AS confirmed, score,
    mean AS confirmed_score, test_accuracy, trials.parameter_count, trials.config
FROM hpo.trials LEFT JOIN hpo.confirmations USING (study, family, number) LEFT JOIN (
    SELECT study, source_number AS number, avg(test_accuracy) AS test_accuracy
    FROM hpo.models WHERE in_force GROUP BY study, source_number
) AS tested USING (study, number)
WHERE study = :study AND state = 'COMPLETE'
ORDER BY family, confirmed DESC, score DESC NULLS LAST, number

-- collapsed: Folds that learnt nothing
-- The trial's mean then says little.
SELECT number, family, fold, fold_scores.score, chance.score AS chance
FROM hpo.fold_scores JOIN hpo.chance USING (study) WHERE study = :study AND collapsed
ORDER BY number, fold

-- confirmation: Configurations that were run again on fresh folds
-- Their mean with its interval, compared with the best.
SELECT family, rank, number, winner, search_rank, search_score, mean, low, high, behind, behind_low,
    behind_high, p_value, separable, left_out, parameter_count, params
FROM hpo.confirmations WHERE study = :study ORDER BY family, rank, search_rank

-- confused: Classes that one trial confuses
-- Counted in held-out images.
SELECT true_class, predicted_class, images FROM hpo.held_out_confusion
WHERE study = :study AND number = :number AND images > 0 AND true_class <> predicted_class
ORDER BY images DESC, true_class, predicted_class

-- confusion: Classes that the final models confuse
-- Counted in test images, summed over the seeds.
SELECT family, recipe, true_class, predicted_class, sum(images) AS images, avg(share) AS share
FROM hpo.confusion WHERE study = :study AND in_force AND true_class <> predicted_class
GROUP BY family, recipe, true_class, predicted_class HAVING sum(images) > 0
ORDER BY images DESC, family, true_class, predicted_class LIMIT :top

-- cost: What the search cost
SELECT family, state, trials, epochs, seconds, mean_seconds, seconds_per_epoch, share
FROM hpo.cost WHERE study = :study ORDER BY family, state

-- curves: Learning curves of one trial
SELECT fold, epoch, train_loss, validation, score
FROM hpo.learning_curves WHERE study = :study AND number = :number ORDER BY fold, epoch

-- effects: What each hyperparameter did to the score
-- Of complete trials: what pruning took most from looks better than it is.
SELECT family, parameter, value, trials, mean, sd, standard_error, best, difference
FROM hpo.parameter_effects WHERE study = :study ORDER BY family, parameter, place

-- failing: Configurations that only fail
SELECT family, config_hash, count(*) AS failed, max(number) AS number,
    (array_agg(reason ORDER BY number DESC))[1] AS reason
FROM hpo.attempts AS failed WHERE study = :study AND state = 'FAIL' AND NOT EXISTS (
    SELECT FROM hpo.attempts
    WHERE study = :study AND origin = failed.origin AND state IN ('COMPLETE', 'PRUNED')
)
GROUP BY family, config_hash, origin ORDER BY number DESC

-- importances: Which hyperparameters mattered
-- The share of the variance of scores that goes with a parameter's values, less what chance gives
-- (epsilon squared). Of complete trials alone.
SELECT family, parameter, trials, values, greatest(
    between_values - (values - 1) * within_values / nullif(trials - values, 0), 0
) / nullif(between_values + within_values, 0) AS share
FROM (
    SELECT family, parameter, sum(trials)::bigint AS trials, count(*) AS values,
        sum(trials * difference ^ 2) AS between_values,
        sum((trials - 1) * coalesce(sd, 0) ^ 2) AS within_values
    FROM hpo.parameter_effects WHERE study = :study GROUP BY family, parameter
) AS summed
ORDER BY family, share DESC NULLS LAST, parameter

-- improvements: How the best score grew
-- Trials better than all of their family before them; place counts the complete ones in the order
-- of their end.
SELECT family, place, number, score, finished_at FROM (
    SELECT family, number, score, finished_at, row_number() OVER ends AS place,
        max(score) OVER (ends ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS best_before
    FROM hpo.trials WHERE study = :study AND state = 'COMPLETE' AND score IS NOT NULL
    WINDOW ends AS (PARTITION BY family ORDER BY finished_at, number)
) AS complete WHERE score > coalesce(best_before, '-Infinity') ORDER BY family, place

-- kernel_filters: Kernel size against filters
SELECT kernel_size, filters, trials, mean, sd, standard_error, best, best_trial
FROM hpo.kernel_filters WHERE study = :study ORDER BY kernel_size, filters

-- leaderboard: Best configurations of each family
SELECT family, rank, number, score, sd, standard_error, near_best, epochs, seconds, parameter_count,
    params FROM hpo.leaderboard WHERE study = :study AND rank <= :top ORDER BY family, rank, number

-- misclassified: Test images that every final model gets wrong
SELECT image, true_class, string_agg(DISTINCT predicted_class, ', ') AS taken_for,
    count(*) AS models, avg(confidence) AS confidence, avg(true_probability) AS true_probability
FROM hpo.misclassified WHERE study = :study AND in_force GROUP BY image, true_class
HAVING count(*) = (SELECT count(*) FROM hpo.models WHERE study = :study AND in_force)
ORDER BY confidence DESC LIMIT :top

-- models: Tested models
SELECT family, recipe, seed_number, final_study, final_number, source_number, config_hash,
    parameter_count, epochs, best_epoch, seconds, validation_accuracy, test_accuracy,
    test_balanced_accuracy, test_macro_auc, test_log_loss, test_errors, averaged_accuracy,
    test_openings, sha256
FROM hpo.models WHERE study = :study AND in_force
ORDER BY array_position(ARRAY['mlp', 'cnn', 'resnet'], family), seed_number

-- progress: Progress of a study
SELECT family, budget, counted, complete, pruned, running, waiting, failed, remaining, closed,
    best_score, epochs, mean_seconds, eta_seconds
FROM hpo.progress WHERE study = :study ORDER BY family

-- pruned_ranks: Where pruned trials stood
-- Their rank at their last epoch among the complete trials of their family that reported it.
SELECT family, number, epoch, score, 1 + better AS rank, complete FROM (
    SELECT family, number, state, epoch, score, max(epoch) OVER (PARTITION BY number) AS last,
        count(*) FILTER (WHERE state = 'COMPLETE') OVER (reported ORDER BY score DESC
            GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS better,
        count(*) FILTER (WHERE state = 'COMPLETE') OVER reported AS complete
    FROM hpo.reported_scores
    WHERE study = :study AND state IN ('COMPLETE', 'PRUNED') AND score IS NOT NULL
    WINDOW reported AS (PARTITION BY family, epoch)
) AS placed WHERE state = 'PRUNED' AND epoch = last
ORDER BY family, rank, number

-- pruning: What pruning saved
-- With the mean epoch after which trials were stopped.
SELECT family, count(*) AS trials, avg(epoch)::float AS mean_epoch,
    sum(epochs) AS epochs, sum(saved_epochs) AS saved_epochs, sum(saved_seconds) AS saved_seconds
FROM hpo.pruning WHERE study = :study GROUP BY family ORDER BY family

-- results: Final results
SELECT family, recipe, seeds, parameter_count, accuracy, low, high, sd, balanced_accuracy,
    macro_auc, errors, test_images
FROM hpo.final_results WHERE study = :study ORDER BY accuracy DESC

-- retries: Configurations that took more than one attempt
-- A chain of attempts is named after its first trial.
SELECT origin, attempt, number, family, state, failure, reason, worker, in_force
FROM hpo.attempts WHERE study = :study AND attempts > 1 ORDER BY origin, attempt

-- running: Trials in training
SELECT number, family, epoch, most_epochs, reported.score, attempt, worker,
    extract(epoch FROM now() - started_at)::float AS seconds_running,
    extract(epoch FROM now() - heartbeat_at)::float AS seconds_since_heartbeat
FROM hpo.trials
LEFT JOIN hpo.reported_scores AS reported USING (study, number, family, state, epoch)
WHERE study = :study AND state = 'RUNNING' ORDER BY number

-- studies: All studies
SELECT study, stage, data_label AS data, synthetic, objective, budget, counted, running, paused,
    started_at, last_activity_at
FROM hpo.studies ORDER BY study

-- trial: One trial
SELECT * FROM hpo.trials WHERE study = :study AND number = :number

-- trials: All trials of a study
SELECT number, family, state, score, epoch, epochs, seconds, attempt, retry_of, worker, reason,
    params FROM hpo.trials WHERE study = :study ORDER BY number

-- workers: Workers of a study
SELECT worker, trial, family, epoch, seconds_since_heartbeat, finished, failed, trials_per_hour
FROM hpo.workers WHERE study = :study ORDER BY seconds_since_heartbeat, worker
