-- A number with many values is cut into five ranges of about as many trials. From arrays each
-- parameter is counted and sorted by its values alone, not by names beside them, in half the time.
CREATE VIEW hpo.parameter_effects AS
SELECT study, family, parameter, row_number() OVER (whole ORDER BY place) AS place,
    CASE WHEN low < high THEN concat_ws(
        ' to ', to_char(low, '9.99EEEE')::float, to_char(high, '9.99EEEE')::float
    ) ELSE coalesce(word, low::text) END AS value, low, high, trials, total / trials AS mean, sd,
    sd / sqrt(trials) AS standard_error, best,
    total / trials - sum(total) OVER whole / sum(trials) OVER whole AS difference
FROM (
    SELECT study_name AS study, family, array_agg(params) AS params, array_agg(value) AS scores
    FROM hpo.attempt JOIN hpo.configuration USING (configuration_id)
    JOIN public.trials USING (trial_id) JOIN public.trial_values USING (trial_id)
    JOIN public.studies ON studies.study_id = attempt.study_id
    WHERE state = 'COMPLETE' AND objective = 0 AND value BETWEEN 0 AND 1
    GROUP BY study_name, family
) AS complete
CROSS JOIN LATERAL (SELECT DISTINCT jsonb_object_keys(unnest(params)) AS parameter) AS searched
CROSS JOIN LATERAL (
    SELECT place, min(word) AS word, min(number)::float AS low, max(number)::float AS high,
        sum(trials) AS trials, sum(total) AS total, max(best) AS best, sqrt(
            greatest(sum(squares) - sum(total) ^ 2 / sum(trials), 0) / nullif(sum(trials) - 1, 0)
        )::float AS sd
    FROM (
        SELECT *, CASE
            WHEN count(*) OVER () <= 8 OR count(*) OVER () > count(number) OVER ()
                THEN row_number() OVER upwards
            ELSE 5 * (sum(trials) OVER upwards - trials) / sum(trials) OVER ()
        END AS place
        FROM (
            SELECT *, CASE WHEN number IS NULL THEN value #>> '{}' END AS word FROM (
                SELECT value,
                    CASE jsonb_typeof(value) WHEN 'number' THEN value::numeric END AS number,
                    count(*)::integer AS trials, sum(score) AS total, sum(score * score) AS squares,
                    max(score) AS best
                FROM (SELECT unnest(params) -> parameter AS value, unnest(scores) AS score) AS drawn
                WHERE value IS NOT NULL GROUP BY value
            ) AS counted
        ) AS spelt
        WINDOW upwards AS (ORDER BY number, word ROWS UNBOUNDED PRECEDING)
    ) AS placed
    GROUP BY place
) AS effect
WINDOW whole AS (PARTITION BY study, family, parameter);

CREATE VIEW hpo.kernel_filters AS
SELECT study, family, kernel_size, filters, count(*) AS trials, avg(score) AS mean,
    stddev_samp(score) AS sd, stddev_samp(score) / sqrt(count(*)) AS standard_error,
    max(score) AS best, (array_agg(number ORDER BY score DESC, number))[1] AS best_trial
FROM hpo.trials
WHERE state = 'COMPLETE' AND score IS NOT NULL AND kernel_size IS NOT NULL AND filters IS NOT NULL
GROUP BY study, family, kernel_size, filters;
