-- What one trial has reported
-- The mean held-out score after each epoch, as the pruner sees it; of a running trial too.
SELECT epoch, score
FROM hpo.reported_scores
WHERE study = :study AND number = :number
ORDER BY epoch
