-- Classes that one trial confuses
-- Images of the held-out folds by what they are and what the trial's models took them for.
SELECT true_class, predicted_class, images
FROM hpo.held_out_confusion
WHERE study = :study AND number = :number AND images > 0 AND true_class <> predicted_class
ORDER BY images DESC, true_class, predicted_class
