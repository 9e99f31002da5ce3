-- new_result: What was measured over all folds, and on each.
WITH whole AS (
    INSERT INTO hpo.result
    SELECT * FROM jsonb_populate_record(NULL::hpo.result, CAST(:row AS jsonb))
)
INSERT INTO hpo.fold
SELECT * FROM jsonb_populate_recordset(NULL::hpo.fold, CAST(:folds AS jsonb))

-- new_tested_model: A model that was exported and tested, and the test images that it gets wrong.
WITH model AS (
    INSERT INTO hpo.tested_model
    SELECT * FROM jsonb_populate_record(NULL::hpo.tested_model, CAST(:row AS jsonb))
)
INSERT INTO hpo.mistake
SELECT * FROM jsonb_populate_recordset(NULL::hpo.mistake, CAST(:mistakes AS jsonb))

-- stored_pieces: Which pieces of a file a study has.
SELECT piece FROM hpo.piece WHERE study_id = :study_id AND sha256 = :sha256

-- new_piece: Store a piece of a file.
INSERT INTO hpo.piece (study_id, sha256, piece, content)
VALUES (:study_id, :sha256, :piece, :content) ON CONFLICT (study_id, sha256, piece) DO NOTHING

-- link_file: Give a file that is whole its name in a study, which no other has or gets.
INSERT INTO hpo.artefact (study_id, name, sha256, bytes)
SELECT :study_id, :name, :sha256, coalesce(sum(octet_length(content)), 0)
FROM hpo.piece WHERE study_id = :study_id AND sha256 = :sha256
HAVING encode(sha256(coalesce(string_agg(content, '' ORDER BY piece), '')), 'hex') = :sha256
ON CONFLICT (study_id, name) DO UPDATE SET bytes = excluded.bytes
    WHERE artefact.sha256 = excluded.sha256

-- link_artifact: Link a file to its trial as Optuna does, for the dashboard.
INSERT INTO public.trial_system_attributes (trial_id, key, value_json)
VALUES (:trial_id, :key, :value_json)
ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json

-- drop_unlinked: Remove the files of a study that nothing links, and that no trial may yet link.
DELETE FROM hpo.piece
WHERE study_id = :study_id AND stored_at < clock_timestamp() - make_interval(secs => :grace_seconds)
    AND (study_id, sha256) NOT IN (SELECT study_id, sha256 FROM hpo.artefact)
    AND NOT EXISTS (SELECT FROM public.trials WHERE study_id = :study_id AND state = 'RUNNING')

-- files: The files of a study by name.
SELECT name, sha256, bytes AS size FROM hpo.artefact JOIN public.studies USING (study_id)
WHERE study_name = :study ORDER BY name

-- file_by_digest: The content of a linked file by its checksum, of whichever study has it whole,
-- without pieces that were added behind its end; null if there is none.
SELECT content FROM (
    SELECT substring(string_agg(content, '' ORDER BY piece) FOR bytes) AS content FROM hpo.piece
    JOIN (SELECT DISTINCT study_id, sha256, bytes FROM hpo.artefact WHERE sha256 = :sha256) AS one
    USING (study_id, sha256) GROUP BY study_id, bytes
) AS found WHERE encode(sha256(content), 'hex') = :sha256 LIMIT 1
