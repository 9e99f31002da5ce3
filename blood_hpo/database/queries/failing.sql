-- Configurations that only fail
-- Each configuration whose attempts have failed so far: how many, the latest one, and why it failed.
SELECT
    family, config_hash, count(*) FILTER (WHERE state = 'FAIL') AS failed,
    max(number) FILTER (WHERE state = 'FAIL') AS number,
    (array_agg(reason ORDER BY number DESC) FILTER (WHERE state = 'FAIL'))[1] AS reason
FROM hpo.attempts
WHERE study = :study
GROUP BY family, config_hash, origin
HAVING bool_or(state = 'FAIL') AND NOT bool_or(state IN ('COMPLETE', 'PRUNED'))
ORDER BY number DESC
