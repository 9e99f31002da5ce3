-- What a trial leaves when it ends, written in the transaction that ends it.

-- name: new_result
-- What was measured over all folds.
INSERT INTO hpo.result (
    trial_id, epoch, epochs, seconds, parameter_count, confusion, mean_folds, mean_train_loss,
    mean_validation, mean_score
)
VALUES (
    :trial_id, :epoch, :epochs, :seconds, :parameter_count, :confusion, :mean_folds,
    :mean_train_loss, :mean_validation, :mean_score
)

-- name: new_fold
-- What was measured on one fold.
INSERT INTO hpo.fold (
    trial_id, fold, score, epochs, best_epoch, train_loss, validation, held_out, train_accuracy,
    validation_accuracy, validation_loss
)
VALUES (
    :trial_id, :fold, :score, :epochs, :best_epoch, :train_loss, :validation, :held_out,
    :train_accuracy, :validation_accuracy, :validation_loss
)

-- name: new_tested_model
-- A model that was exported and tested.
INSERT INTO hpo.tested_model (
    trial_id, file, sha256, bytes, loading_difference, non_trainable_count, validation_images,
    validation_errors, validation_accuracy, validation_balanced_accuracy, validation_macro_auc,
    validation_log_loss, test_images, test_errors, test_accuracy, test_balanced_accuracy,
    test_macro_auc, test_log_loss, averaged_accuracy, medmnist_auc, medmnist_acc, medmnist_file,
    confusion, scaling_mean, scaling_deviation, class_weights, architecture, versions
)
VALUES (
    :trial_id, :file, :sha256, :bytes, :loading_difference, :non_trainable_count,
    :validation_images, :validation_errors, :validation_accuracy, :validation_balanced_accuracy,
    :validation_macro_auc, :validation_log_loss, :test_images, :test_errors, :test_accuracy,
    :test_balanced_accuracy, :test_macro_auc, :test_log_loss, :averaged_accuracy, :medmnist_auc,
    :medmnist_acc, :medmnist_file, :confusion, :scaling_mean, :scaling_deviation, :class_weights,
    CAST(:architecture AS jsonb), CAST(:versions AS jsonb)
)

-- name: new_mistakes
-- The test images that a model gets wrong.
INSERT INTO hpo.mistake (
    trial_id, image, true_class, predicted_class, confidence, true_probability
)
SELECT :trial_id, image, true_class, predicted_class, confidence, true_probability
FROM unnest(
    CAST(:image AS integer[]), CAST(:true_class AS integer[]), CAST(:predicted_class AS integer[]),
    CAST(:confidence AS double precision[]), CAST(:true_probability AS double precision[])
) AS wrong (image, true_class, predicted_class, confidence, true_probability)

-- name: stored_pieces
-- Which pieces of a file a study has.
SELECT piece FROM hpo.piece WHERE study_id = :study_id AND sha256 = :sha256

-- name: new_piece
-- Store a piece of a file.
INSERT INTO hpo.piece (study_id, sha256, piece, content)
VALUES (:study_id, :sha256, :piece, :content)
ON CONFLICT (study_id, sha256, piece) DO NOTHING

-- name: link_file
-- Give a stored file its name in a study; one of the same name is replaced.
INSERT INTO hpo.artefact (study_id, name, sha256, bytes)
SELECT :study_id, :name, :sha256, coalesce(sum(octet_length(content)), 0)
FROM hpo.piece
WHERE study_id = :study_id AND sha256 = :sha256
ON CONFLICT (study_id, name) DO UPDATE
SET sha256 = excluded.sha256, bytes = excluded.bytes, linked_at = excluded.linked_at

-- name: link_artifact
-- Link a file to its trial as Optuna does, for the dashboard.
INSERT INTO public.trial_system_attributes (trial_id, key, value_json)
VALUES (:trial_id, :key, :value_json)
ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json

-- name: drop_unlinked
-- Remove the files of a study that nothing links, and that nobody is about to link.
DELETE FROM hpo.piece
WHERE study_id = :study_id
    AND stored_at < clock_timestamp() - make_interval(secs => :grace_seconds)
    AND NOT EXISTS (
        SELECT FROM hpo.artefact
        WHERE artefact.study_id = piece.study_id AND artefact.sha256 = piece.sha256
    )
