-- Tested models
-- Each retrained model with its source in the search and its figures on the test split.
SELECT
    family, recipe, seed_number, number, source_trial, config_hash, parameter_count, epochs_trained,
    best_epoch, seconds, validation_accuracy, test_accuracy, test_balanced_accuracy, test_macro_auc,
    test_log_loss, test_errors, averaged_accuracy, test_openings, sha256
FROM hpo.models
WHERE study = :study AND current
ORDER BY array_position(ARRAY['mlp', 'cnn', 'resnet'], family), seed_number
