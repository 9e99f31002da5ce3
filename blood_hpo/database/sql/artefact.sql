-- The files of trials, put together from their pieces.

-- name: files
-- The files of a study by name.
SELECT artefact.name, artefact.sha256, artefact.bytes
FROM hpo.artefact
JOIN public.studies USING (study_id)
WHERE study_name = :study
ORDER BY artefact.name

-- name: file
-- The content of a file of a study.
SELECT artefact.sha256, coalesce((
    SELECT string_agg(content, '' ORDER BY piece) FROM hpo.piece
    WHERE piece.study_id = artefact.study_id AND piece.sha256 = artefact.sha256
), '') AS content
FROM hpo.artefact
JOIN public.studies USING (study_id)
WHERE study_name = :study AND artefact.name = :name

-- name: file_by_digest
-- The content of a linked file of any study by its checksum; null if there is none.
SELECT string_agg(piece.content, '' ORDER BY piece.piece)
FROM hpo.piece
WHERE piece.sha256 = :sha256 AND piece.study_id = (
    SELECT min(study_id) FROM hpo.artefact WHERE artefact.sha256 = :sha256
)
