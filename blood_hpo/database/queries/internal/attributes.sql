-- What a study has noted about itself
-- Its attributes by name, such as the study file, the data set, and the outcome of a stage.
SELECT key AS name, hpo.parse(value_json) AS value
FROM public.study_user_attributes
JOIN public.studies USING (study_id)
WHERE study_name = :study
ORDER BY key
