-- A sampler tries good values together, so a difference is a hint and no proof. A number with many
-- values is cut into five ranges of about as many trials.
CREATE VIEW hpo.parameter_effects AS
SELECT
    study, family, parameter, row_number() OVER (whole ORDER BY place) AS place,
    CASE WHEN low < high THEN concat_ws(
        ' to ', to_char(low, '9.99EEEE')::double precision, to_char(high, '9.99EEEE')::double precision
    ) ELSE coalesce(word, low::text) END AS value,
    low, high, trials, total / trials AS mean, sd, sd / sqrt(trials) AS standard_error, best,
    total / trials - sum(total) OVER whole / sum(trials) OVER whole AS difference
FROM (
    SELECT
        study, family, parameter, place, min(word) AS word, min(number) AS low, max(number) AS high,
        sum(trials)::bigint AS trials, sum(total) AS total, sqrt(
            greatest(sum(squares) - sum(total) ^ 2 / sum(trials), 0) / nullif(sum(trials) - 1, 0)
        )::double precision AS sd, max(best) AS best
    FROM (
        SELECT
            *, CASE
                WHEN count(*) OVER whole <= 8 OR count(*) OVER whole > count(number) OVER whole
                    THEN row_number() OVER upwards
                ELSE floor(5 * (sum(trials) OVER upwards - trials) / sum(trials) OVER whole)
            END AS place
        FROM (
            SELECT
                *, CASE jsonb_typeof(value) WHEN 'number' THEN value::double precision END AS number,
                CASE jsonb_typeof(value) WHEN 'number' THEN NULL ELSE value #>> '{}' END AS word
            FROM (
                SELECT
                    study, family, key AS parameter, value, count(*) AS trials, sum(score) AS total,
                    sum(score * score) AS squares, max(score) AS best
                FROM hpo.trials CROSS JOIN jsonb_each(params)
                WHERE state = 'COMPLETE' AND score IS NOT NULL
                GROUP BY study, family, key, value
            ) AS drawn
        ) AS counted
        WINDOW
            whole AS (PARTITION BY study, family, parameter),
            upwards AS (whole ORDER BY number, word)
    ) AS placed
    GROUP BY study, family, parameter, place
) AS grouped
WINDOW whole AS (PARTITION BY study, family, parameter);

CREATE VIEW hpo.kernel_filters AS
SELECT
    study, family, kernel_size, filters, count(*) AS trials, avg(score) AS mean,
    stddev_samp(score) AS sd, stddev_samp(score) / sqrt(count(*)) AS standard_error, max(score) AS best,
    (array_agg(number ORDER BY score DESC, number))[1] AS best_trial
FROM hpo.trials
WHERE state = 'COMPLETE' AND score IS NOT NULL AND kernel_size IS NOT NULL AND filters IS NOT NULL
GROUP BY study, family, kernel_size, filters;
