-- Scores of each fold
-- How much a score depends on the images: one line a fold of each finished trial, best trials first.
SELECT family, number, fold, fold_scores.score, epochs, best_epoch
FROM hpo.fold_scores
JOIN hpo.leaderboard USING (study, family, number)
WHERE study = :study AND rank <= :top
ORDER BY family, rank, number, fold
