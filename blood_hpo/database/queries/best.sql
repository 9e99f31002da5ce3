-- The best configuration of each family
-- The confirmed winner, or while there is none the best complete trial of the search; with the mean
-- of its confirmation, the mean accuracy of its models on the test split, and its whole configuration.
SELECT DISTINCT ON (trials.family)
    trials.family, trials.number, coalesce(confirmations.winner, false) AS confirmed, trials.score,
    confirmations.mean AS confirmed_score, tested.accuracy AS test_accuracy, trials.parameter_count,
    trials.config
FROM hpo.trials
LEFT JOIN hpo.confirmations USING (study, number)
LEFT JOIN (
    SELECT study, source_number AS number, avg(test_accuracy) AS accuracy
    FROM hpo.models
    WHERE in_force
    GROUP BY study, source_number
) AS tested USING (study, number)
WHERE study = :study AND trials.state = 'COMPLETE'
ORDER BY trials.family, confirmations.winner DESC NULLS LAST, trials.score DESC, number
