-- trial_records: The trials of a study by number, or one.
SELECT * FROM hpo.trials WHERE study = :study AND (number = :number OR :number IS NULL)
ORDER BY number

-- reported: What one trial has reported, as the pruner sees it; of a running trial too.
SELECT epoch, score
FROM hpo.reported_scores WHERE study = :study AND number = :number ORDER BY epoch

-- family_totals: How far each family of a study is, what it cost, and what pruning saved.
SELECT family, budget, complete, pruned, failed, running + waiting AS unfinished, remaining,
    coalesce(epochs, 0)::bigint AS epochs, coalesce(seconds, 0) AS seconds,
    coalesce(pruned_epochs, 0) AS pruned_epochs, coalesce(saved_epochs, 0) AS saved_epochs,
    coalesce(saved_seconds, 0) AS saved_seconds
FROM hpo.progress LEFT JOIN (
    SELECT study, family, sum(epochs) AS pruned_epochs, sum(saved_epochs) AS saved_epochs,
        sum(saved_seconds) AS saved_seconds FROM hpo.pruning GROUP BY study, family
) AS stopped USING (study, family)
WHERE study = :study

-- study_costs: What the ended trials of some studies cost.
SELECT study, sum(trials)::bigint AS trials,
    coalesce(sum(trials) FILTER (WHERE state = 'FAIL'), 0)::bigint AS failed,
    coalesce(sum(epochs), 0)::bigint AS epochs, coalesce(sum(seconds), 0) AS seconds
FROM hpo.cost WHERE study = ANY(:studies) AND state IN ('COMPLETE', 'PRUNED', 'FAIL') GROUP BY study

-- early_scores: What ended trials had scored when the first of their family was pruned.
WITH shared AS MATERIALIZED (
    SELECT family, min(epoch) AS epoch FROM hpo.trials
    WHERE study = :study AND state IN ('COMPLETE', 'PRUNED') GROUP BY family
)
SELECT number, epoch, score FROM hpo.reported_scores JOIN shared USING (family, epoch)
WHERE study = :study AND state IN ('COMPLETE', 'PRUNED') AND score IS NOT NULL ORDER BY number

-- grid_studies: The study files of the grids of one kind and objective on a data set, by name.
SELECT study, spec FROM hpo.studies
WHERE stage = 'search' AND sampler = :sampler AND data_sha256 = :sha256 AND objective = :objective
ORDER BY study

-- confirmed_candidates: The configurations on fresh folds, the winners first.
SELECT * FROM hpo.confirmations WHERE study = :study ORDER BY winner DESC, rank, search_rank

-- tested_models: The tested models of the plan in force, with their training.
SELECT models.*, train_loss, fold.validation_accuracy AS validation, train_accuracy, validation_loss
FROM hpo.models JOIN hpo.fold USING (trial_id) WHERE study = :study AND in_force
