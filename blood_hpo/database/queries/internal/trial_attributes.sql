-- What all complete trials have noted about themselves
-- One line a trial with its attributes by name, curves and test results among them.
SELECT
    number, trials.datetime_start AT TIME ZONE 'UTC' AS started_at,
    trials.datetime_complete AT TIME ZONE 'UTC' AS finished_at,
    jsonb_object_agg(key, hpo.parse(value_json)) AS attributes
FROM public.trials
JOIN public.studies USING (study_id)
JOIN public.trial_user_attributes USING (trial_id)
WHERE study_name = :study AND state = 'COMPLETE'
GROUP BY number, datetime_start, datetime_complete
ORDER BY number
