-- Configurations counted twice
-- Configurations of which more than one trial spent budget; there should be none. Later attempts
-- at a configuration whose worker died are no repeats, since the failed attempt spent nothing, nor
-- are trials with another seed, which the final stage makes on purpose.
SELECT family, config_hash, count(*) AS times, array_agg(number ORDER BY number) AS numbers
FROM hpo.trials
WHERE study = :study AND state IN ('COMPLETE', 'PRUNED')
GROUP BY family, config_hash, seed
HAVING count(*) > 1
ORDER BY family, config_hash
