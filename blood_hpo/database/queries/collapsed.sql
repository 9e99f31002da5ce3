-- Folds that learnt nothing
-- Each fold of a finished trial whose score is that of chance: its trial's mean says little.
SELECT fold_scores.number, family, fold, fold_scores.score, chance.score AS chance
FROM hpo.fold_scores
JOIN hpo.chance USING (study)
WHERE study = :study AND collapsed
ORDER BY number, fold
