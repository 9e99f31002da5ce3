-- Final results
-- Each tested configuration: mean accuracy over its seeds with its 95 % interval and spread, and the
-- other figures of the test split.
SELECT
    family, recipe, seeds, parameter_count, accuracy, low, high, sd, balanced_accuracy, macro_auc,
    errors, test_images
FROM hpo.final_results
WHERE study = :study
ORDER BY accuracy DESC
