-- Tested models
-- Each retrained model with its source in the search and its figures on the test split.
SELECT
    family, recipe, seed_number, final_study, final_number, source_number, config_hash,
    parameter_count, epochs, best_epoch, seconds, validation_accuracy, test_accuracy,
    test_balanced_accuracy, test_macro_auc, test_log_loss, test_errors, averaged_accuracy,
    test_openings, sha256
FROM hpo.models
WHERE study = :study AND in_force
ORDER BY array_position(ARRAY['mlp', 'cnn', 'resnet'], family), seed_number
