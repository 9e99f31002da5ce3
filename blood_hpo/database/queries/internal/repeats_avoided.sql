-- Repeats that a search was spared
-- Samples that had been tried already, drawn and thrown away before a new one was found. Nothing
-- where no trial counted them, as in studies of earlier versions.
SELECT sum(hpo.parse(value_json)::integer) AS repeats_avoided
FROM public.trial_user_attributes
JOIN public.trials USING (trial_id)
JOIN public.studies USING (study_id)
WHERE study_name = :study AND key = 'repeats_avoided'
