-- Repeats that the search was spared
-- Configurations that were drawn although they had been tried, and drawn again; and their share of
-- all drawn configurations.
SELECT family, configurations, repeats_avoided, most, share
FROM hpo.repeats_avoided
WHERE study = :study
ORDER BY family
