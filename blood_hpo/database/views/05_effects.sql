-- What the searched values did to the score, over complete trials. Pruned trials are left out: their
-- scores are of fewer epochs. A sampler tries good values more often, together with other good
-- values, so a difference is a hint and no proof.

-- Joined from the tables themselves, of which the planner knows how many rows they have; through
-- hpo.trials it sorts them all, on disk. A number with many values is cut into five ranges of about
-- as many trials. Optuna stores a choice as its place in the list of the distribution.
CREATE VIEW hpo.parameter_effects AS
SELECT
    study_name AS study, grouped.family COLLATE "default" AS family,
    grouped.parameter COLLATE "default" AS parameter,
    row_number() OVER (family ORDER BY grouped.place) AS place,
    CASE
        WHEN grouped.is_choice THEN (
            SELECT distribution_json::jsonb #>> ARRAY['attributes', 'choices', grouped.least::text]
            FROM public.trial_params
            WHERE trial_id = grouped.example_id AND param_name = grouped.parameter
        )
        WHEN grouped.least = grouped.most THEN grouped.least::text
        ELSE concat_ws(
            ' to ', to_char(grouped.least, '9.99EEEE')::double precision,
            to_char(grouped.most, '9.99EEEE')::double precision
        )
    END AS value,
    CASE WHEN NOT grouped.is_choice THEN grouped.least END AS low,
    CASE WHEN NOT grouped.is_choice THEN grouped.most END AS high,
    grouped.trials, grouped.total / grouped.trials AS mean, grouped.sd,
    grouped.sd / sqrt(grouped.trials) AS standard_error, grouped.best,
    grouped.total / grouped.trials - sum(grouped.total) OVER family / sum(grouped.trials) OVER family
        AS difference
FROM (
    SELECT
        study_id, family, parameter, place, is_choice, min(stored) AS least, max(stored) AS most,
        min(example_id) AS example_id, sum(trials)::bigint AS trials, sum(total) AS total,
        sqrt(
            greatest(sum(squares) - sum(total) ^ 2 / sum(trials), 0) / nullif(sum(trials) - 1, 0)
        )::double precision AS sd,
        max(best) AS best
    FROM (
        SELECT
            counted.*,
            CASE
                WHEN is_choice OR count(*) OVER parameter <= 8 THEN stored
                ELSE floor(5 * (sum(trials) OVER upwards - trials) / sum(trials) OVER parameter)
            END AS place
        FROM (
            SELECT
                study_id, family, parameter, stored, bool_or(is_choice) AS is_choice,
                min(trial_id) AS example_id, count(*) AS trials, sum(value) AS total,
                sum(value * value) AS squares, max(value) AS best
            FROM (
                -- Slim rows before they are grouped: without OFFSET 0 each drags its distribution's
                -- JSON through a sort on disk.
                SELECT
                    attempt.study_id, family COLLATE "C" AS family,
                    param_name COLLATE "C" AS parameter, param_value AS stored, told.value,
                    trial_id, starts_with(distribution_json, '{"name": "Cat') AS is_choice
                FROM hpo.attempt
                JOIN hpo.configuration USING (configuration_id)
                JOIN public.trials USING (trial_id)
                JOIN public.trial_values AS told USING (trial_id)
                JOIN public.trial_params USING (trial_id)
                WHERE state = 'COMPLETE' AND objective = 0 AND value_type = 'FINITE'
                    AND param_name <> 'model'
                OFFSET 0
            ) AS searched
            GROUP BY study_id, family, parameter, stored
        ) AS counted
        WINDOW
            -- One key, by which the grouping above is not tempted to sort all rows.
            parameter AS (PARTITION BY study_id, family || ' ' || parameter),
            upwards AS (parameter ORDER BY stored)
    ) AS placed
    GROUP BY study_id, family, parameter, place, is_choice
) AS grouped
JOIN public.studies USING (study_id)
WINDOW family AS (PARTITION BY grouped.study_id, grouped.family, grouped.parameter);
COMMENT ON VIEW hpo.parameter_effects IS 'One row a value of each searched parameter: scores of the complete trials that had it. Pruned trials are left out; a number with more than eight values is cut into five ranges.';
COMMENT ON COLUMN hpo.parameter_effects.parameter IS 'Name of the hyperparameter.';
COMMENT ON COLUMN hpo.parameter_effects.place IS 'Order of the values from 1: as in the study file, numbers ascending.';
COMMENT ON COLUMN hpo.parameter_effects.value IS 'The value, or the lowest and the highest one of the range, rounded to three digits.';
COMMENT ON COLUMN hpo.parameter_effects.low IS 'Lowest value of the range; null for a choice.';
COMMENT ON COLUMN hpo.parameter_effects.high IS 'Highest value of the range; null for a choice.';
COMMENT ON COLUMN hpo.parameter_effects.difference IS 'Mean less the mean of all complete trials of the family.';

CREATE VIEW hpo.kernel_filters AS
SELECT
    study, family, kernel_size, filters, count(*) AS trials, avg(score) AS mean,
    stddev_samp(score) AS sd, stddev_samp(score) / sqrt(count(*)) AS standard_error, max(score) AS best,
    (array_agg(number ORDER BY score DESC, number))[1] AS best_trial
FROM hpo.trials
WHERE state = 'COMPLETE' AND score IS NOT NULL AND kernel_size IS NOT NULL AND filters IS NOT NULL
GROUP BY study, family, kernel_size, filters;
COMMENT ON VIEW hpo.kernel_filters IS 'One row a pair of kernel size and number of filters: scores of the complete trials that had both. Pruned trials are left out.';
COMMENT ON COLUMN hpo.kernel_filters.best_trial IS 'Number of the trial with the best score.';
