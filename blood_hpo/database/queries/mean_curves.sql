-- Mean learning curve of one trial
-- Training loss, validation accuracy and held-out score after each epoch, means over the folds that
-- were trained in it.
SELECT epoch, folds, train_loss, validation, score
FROM hpo.mean_curves
WHERE study = :study AND number = :number
ORDER BY epoch
