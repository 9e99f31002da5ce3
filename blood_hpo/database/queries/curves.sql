-- Learning curves of one trial
-- Each fold's training loss, validation accuracy and held-out score after each epoch.
SELECT fold, epoch, train_loss, validation, score
FROM hpo.learning_curves
WHERE study = :study AND number = :number
ORDER BY fold, epoch
