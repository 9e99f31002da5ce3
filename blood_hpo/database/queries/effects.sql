-- What each hyperparameter did to the score
-- Scores of the complete trials with each value, and how far their mean is from the family's; numbers
-- with many values are cut into five ranges. Pruned trials are left out.
SELECT family, parameter, value, trials, mean, sd, standard_error, best, difference
FROM hpo.parameter_effects
WHERE study = :study
ORDER BY family, parameter, place
