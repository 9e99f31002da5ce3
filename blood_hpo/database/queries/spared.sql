-- Repeats that the sampler was spared
-- Configurations that were drawn although they had been tried, and drawn again; of how many trials
-- that was counted, and the share of all drawn configurations.
SELECT family, trials, counted, repeats_avoided, most, share
FROM hpo.repeats_avoided
WHERE study = :study
ORDER BY family
