-- How the best score grew
-- Each complete trial that was better than all complete trials of its family before it; place is
-- its place among the complete trials of the family in the order of their end.
SELECT family, place, number, score, finished_at
FROM (
    SELECT
        family, number, score, finished_at,
        row_number() OVER ends AS place,
        max(score) OVER (ends ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS best_before
    FROM hpo.trials
    WHERE study = :study AND state = 'COMPLETE' AND score IS NOT NULL
    WINDOW ends AS (PARTITION BY family ORDER BY finished_at, number)
) AS complete
WHERE best_before IS NULL OR score > best_before
ORDER BY family, place
