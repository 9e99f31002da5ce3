-- Where pruned trials stood
-- The rank of each pruned trial at its last epoch, by what it had reported, among those complete trials
-- of its family that reported that epoch: 1 and as many as were at least as good.
SELECT family, number, epoch, score, 1 + better AS rank, complete
FROM (
    SELECT
        study, family, number, epoch, score,
        count(*) FILTER (WHERE state = 'COMPLETE') OVER (reported ORDER BY score DESC) AS better,
        count(*) FILTER (WHERE state = 'COMPLETE') OVER reported AS complete
    FROM hpo.reported_scores
    WHERE study = :study AND state IN ('COMPLETE', 'PRUNED') AND score IS NOT NULL
    WINDOW reported AS (PARTITION BY family, epoch)
) AS placed
JOIN (SELECT study, number, epoch FROM hpo.pruning) AS pruned USING (study, number, epoch)
ORDER BY family, rank, number
