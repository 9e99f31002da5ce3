-- What the searched values did to the score, over complete trials. Pruned trials are left out: their
-- scores are of fewer epochs. A sampler tries good values more often, together with other good
-- values, so a difference is a hint and no proof.

-- A number with many values is cut into five ranges of about as many trials.
CREATE VIEW hpo.parameter_effects AS
SELECT
    grouped.study,
    grouped.family,
    grouped.parameter,
    row_number() OVER (
        PARTITION BY grouped.study, grouped.family, grouped.parameter ORDER BY grouped.place
    ) AS place,
    CASE
        WHEN grouped.least = grouped.most
            THEN hpo.decode(grouped.least, grouped.distribution_json) #>> '{}'
        ELSE concat_ws(
            ' to ',
            to_char(grouped.least, '9.99EEEE')::double precision,
            to_char(grouped.most, '9.99EEEE')::double precision
        )
    END AS value,
    CASE WHEN NOT grouped.is_choice THEN grouped.least END AS low,
    CASE WHEN NOT grouped.is_choice THEN grouped.most END AS high,
    grouped.trials,
    grouped.total / grouped.trials AS mean,
    grouped.sd,
    grouped.sd / sqrt(grouped.trials) AS standard_error,
    grouped.best,
    grouped.total / grouped.trials - sum(grouped.total) OVER family / sum(grouped.trials) OVER family
        AS difference
FROM (
    SELECT
        placed.study,
        placed.family,
        placed.parameter,
        placed.place,
        placed.is_choice,
        min(placed.stored) AS least,
        max(placed.stored) AS most,
        min(placed.distribution_json) AS distribution_json,
        sum(placed.trials)::bigint AS trials,
        sum(placed.total) AS total,
        sqrt(
            greatest(sum(placed.squares) - sum(placed.total) ^ 2 / sum(placed.trials), 0)
            / nullif(sum(placed.trials) - 1, 0)
        )::double precision AS sd,
        max(placed.best) AS best
    FROM (
        SELECT
            counted.*,
            CASE
                WHEN counted.is_choice OR count(*) OVER parameter <= 8 THEN counted.stored
                ELSE floor(
                    5 * (sum(counted.trials) OVER upwards - counted.trials)
                    / sum(counted.trials) OVER parameter
                )
            END AS place
        FROM (
            SELECT
                studies.study_name AS study,
                hpo.scalar(family.value_json) AS family,
                searched.param_name AS parameter,
                searched.param_value AS stored,
                searched.distribution_json,
                searched.distribution_json LIKE '%"CategoricalDistribution"%' AS is_choice,
                count(*) AS trials,
                sum(told.value) AS total,
                sum(told.value ^ 2) AS squares,
                max(told.value) AS best
            FROM public.trials
            JOIN public.studies USING (study_id)
            JOIN public.trial_values AS told
                ON told.trial_id = trials.trial_id AND told.objective = 0
                AND told.value_type = 'FINITE'
            JOIN public.trial_user_attributes AS family
                ON family.trial_id = trials.trial_id AND family.key = 'family'
            JOIN public.trial_params AS searched
                ON searched.trial_id = trials.trial_id AND searched.param_name <> 'model'
            WHERE trials.state = 'COMPLETE'
            GROUP BY
                studies.study_name, family.value_json, searched.param_name, searched.param_value,
                searched.distribution_json
        ) AS counted
        WINDOW
            parameter AS (PARTITION BY counted.study, counted.family, counted.parameter),
            upwards AS (parameter ORDER BY counted.stored)
    ) AS placed
    GROUP BY placed.study, placed.family, placed.parameter, placed.place, placed.is_choice
) AS grouped
WINDOW family AS (PARTITION BY grouped.study, grouped.family, grouped.parameter);

COMMENT ON VIEW hpo.parameter_effects IS 'One row a value of each searched parameter: scores of the complete trials that had it. Pruned trials are left out; a number with more than eight values is cut into five ranges.';
COMMENT ON COLUMN hpo.parameter_effects.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.parameter_effects.family IS 'Model family.';
COMMENT ON COLUMN hpo.parameter_effects.parameter IS 'Name of the hyperparameter.';
COMMENT ON COLUMN hpo.parameter_effects.place IS 'Order of the values from 1: as in the study file, numbers ascending.';
COMMENT ON COLUMN hpo.parameter_effects.value IS 'The value, or the lowest and the highest one of the range, rounded to three digits.';
COMMENT ON COLUMN hpo.parameter_effects.low IS 'Lowest value of the range; null for a choice.';
COMMENT ON COLUMN hpo.parameter_effects.high IS 'Highest value of the range; null for a choice.';
COMMENT ON COLUMN hpo.parameter_effects.trials IS 'Complete trials with the value.';
COMMENT ON COLUMN hpo.parameter_effects.mean IS 'Mean score of these trials, 0 to 1.';
COMMENT ON COLUMN hpo.parameter_effects.sd IS 'Sample standard deviation of these scores; null for one trial.';
COMMENT ON COLUMN hpo.parameter_effects.standard_error IS 'Standard error of the mean: sd divided by the root of trials.';
COMMENT ON COLUMN hpo.parameter_effects.best IS 'Best score among these trials.';
COMMENT ON COLUMN hpo.parameter_effects.difference IS 'Mean less the mean of all complete trials of the family.';

CREATE VIEW hpo.kernel_filters AS
SELECT
    study,
    family,
    kernel_size,
    filters,
    count(*) AS trials,
    avg(score) AS mean,
    stddev_samp(score) AS sd,
    stddev_samp(score) / sqrt(count(*)) AS standard_error,
    max(score) AS best,
    (array_agg(number ORDER BY score DESC, number))[1] AS best_trial
FROM hpo.trials
WHERE state = 'COMPLETE' AND score IS NOT NULL AND kernel_size IS NOT NULL AND filters IS NOT NULL
GROUP BY study, family, kernel_size, filters;

COMMENT ON VIEW hpo.kernel_filters IS 'One row a pair of kernel size and number of filters: scores of the complete trials that had both. Pruned trials are left out.';
COMMENT ON COLUMN hpo.kernel_filters.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.kernel_filters.family IS 'Model family.';
COMMENT ON COLUMN hpo.kernel_filters.kernel_size IS 'Height and width of the kernels in pixels.';
COMMENT ON COLUMN hpo.kernel_filters.filters IS 'Number of filters.';
COMMENT ON COLUMN hpo.kernel_filters.trials IS 'Complete trials with both.';
COMMENT ON COLUMN hpo.kernel_filters.mean IS 'Mean score of these trials, 0 to 1.';
COMMENT ON COLUMN hpo.kernel_filters.sd IS 'Sample standard deviation of these scores; null for one trial.';
COMMENT ON COLUMN hpo.kernel_filters.standard_error IS 'Standard error of the mean: sd divided by the root of trials.';
COMMENT ON COLUMN hpo.kernel_filters.best IS 'Best score among these trials.';
COMMENT ON COLUMN hpo.kernel_filters.best_trial IS 'Number of the trial with that score.';
