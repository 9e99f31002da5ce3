-- Scores while all were alive
-- The score of every complete and pruned trial at the last epoch that all of its family reached,
-- which is where the first was pruned.
WITH spent AS (
    SELECT * FROM hpo.reported_scores WHERE study = :study AND state IN ('COMPLETE', 'PRUNED')
), reached AS (
    SELECT family, number, max(epoch) AS epochs FROM spent GROUP BY family, number
)
SELECT spent.number, spent.epoch, spent.score
FROM spent
JOIN (SELECT family, min(epochs) AS epoch FROM reached GROUP BY family) AS shared
    USING (family, epoch)
WHERE spent.score BETWEEN 0 AND 1
ORDER BY spent.number
