-- The note of a study on the dashboard.

-- name: note_facts
-- What a study's note says of it besides its progress, its best trials and its models.
SELECT
    record.study_id, described.study, description, objective, folds, data_fraction, data_label,
    data_sha256, synthetic, described.paused,
    last_activity_at AT TIME ZONE 'UTC' AS last_activity_at,
    CASE WHEN record.stage <> 'search' THEN search.study_name END AS stage_of
FROM hpo.study AS record
JOIN public.studies USING (study_id)
JOIN public.studies AS search ON search.study_id = record.search_id
JOIN hpo.studies AS described ON described.study = studies.study_name
WHERE record.study_id = :study_id

-- name: note_turn
-- Whether it is time to look after a study's note; nobody else does until the transaction ends.
UPDATE hpo.study SET noted_at = clock_timestamp()
WHERE study_id = :study_id
    AND coalesce(noted_at, '-infinity') <= clock_timestamp() - make_interval(secs => :least_seconds)
RETURNING study_id

-- name: write_note
-- Write a study's note where optuna-dashboard reads it, if it differs from what is there: the text
-- in pieces that it joins, of which one is enough here, and a number that grows with every change.
WITH changed AS (
    INSERT INTO public.study_system_attributes (study_id, key, value_json)
    VALUES (:study_id, 'dashboard:note_str:0', :text_json)
    ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json
    WHERE study_system_attributes.value_json <> excluded.value_json
    RETURNING study_id
), emptied AS (
    UPDATE public.study_system_attributes AS piece
    SET value_json = '""'
    FROM changed
    WHERE piece.study_id = changed.study_id
        AND piece.key LIKE 'dashboard:note\_str:%'
        AND piece.key <> 'dashboard:note_str:0'
)
INSERT INTO public.study_system_attributes (study_id, key, value_json)
SELECT study_id, 'dashboard:note_ver', '1'
FROM changed
ON CONFLICT (study_id, key) DO UPDATE
SET value_json = (study_system_attributes.value_json::integer + 1)::text
