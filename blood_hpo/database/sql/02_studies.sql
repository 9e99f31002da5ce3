-- One row a study.

CREATE VIEW hpo.studies AS
SELECT
    studies.study_name AS study,
    attributes.value -> 'spec' ->> 'description' AS description,
    attributes.value -> 'spec' ->> 'objective' AS objective,
    attributes.value -> 'spec' -> 'sampler' ->> 'name' AS sampler,
    attributes.value -> 'spec' -> 'pruner' ->> 'name' AS pruner,
    (attributes.value -> 'spec' ->> 'seed')::bigint AS seed,
    (attributes.value -> 'spec' -> 'training' ->> 'folds')::integer AS folds,
    (attributes.value -> 'spec' -> 'training' ->> 'epochs')::integer AS epochs,
    (attributes.value -> 'spec' -> 'data' ->> 'fraction')::double precision AS data_fraction,
    attributes.value -> 'data' ->> 'label' AS data_label,
    attributes.value -> 'data' ->> 'sha256' AS data_sha256,
    (attributes.value -> 'data' ->> 'synthetic')::boolean AS synthetic,
    (
        SELECT sum((family.value ->> 'budget')::bigint)::bigint
        FROM jsonb_each(attributes.value -> 'spec' -> 'families') AS family
    ) AS budget,
    progress.trials,
    progress.counted,
    progress.running,
    attributes.value -> 'paused' ->> 'reason' AS paused,
    coalesce(attributes.value -> 'closed', '[]') AS closed,
    progress.started_at,
    progress.last_activity_at,
    attributes.value ->> 'program_version' AS program_version,
    attributes.value ->> 'fingerprint' AS fingerprint,
    attributes.value -> 'spec' AS spec,
    attributes.value -> 'data' AS data
FROM public.studies
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(key, hpo.parse(value_json)) AS value
    FROM public.study_user_attributes
    WHERE study_user_attributes.study_id = studies.study_id
        AND key IN ('spec', 'data', 'paused', 'closed', 'program_version', 'fingerprint')
) AS attributes ON true
LEFT JOIN LATERAL (
    SELECT
        count(*) AS trials,
        count(*) FILTER (WHERE state IN ('COMPLETE', 'PRUNED')) AS counted,
        count(*) FILTER (WHERE state = 'RUNNING') AS running,
        min(datetime_start) AT TIME ZONE 'UTC' AS started_at,
        greatest(max(datetime_start), max(datetime_complete)) AT TIME ZONE 'UTC' AS last_activity_at
    FROM public.trials
    WHERE trials.study_id = studies.study_id
) AS progress ON true;

COMMENT ON VIEW hpo.studies IS 'One row a study: what it searches, on which data, how far it is.';
COMMENT ON COLUMN hpo.studies.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.studies.description IS 'One line for people, from the study file.';
COMMENT ON COLUMN hpo.studies.objective IS 'Score on the held-out folds that is maximised.';
COMMENT ON COLUMN hpo.studies.sampler IS 'What proposes configurations.';
COMMENT ON COLUMN hpo.studies.pruner IS 'What stops hopeless trials.';
COMMENT ON COLUMN hpo.studies.seed IS 'Seed of the data subset, the folds, the sampler and all trainings.';
COMMENT ON COLUMN hpo.studies.folds IS 'Folds of the cross-validation.';
COMMENT ON COLUMN hpo.studies.epochs IS 'Most epochs that a fold is trained for.';
COMMENT ON COLUMN hpo.studies.data_fraction IS 'Share of the training and validation splits that is used, 0 to 1.';
COMMENT ON COLUMN hpo.studies.data_label IS 'Name of the data set, for people.';
COMMENT ON COLUMN hpo.studies.data_sha256 IS 'SHA-256 of the data set''s file.';
COMMENT ON COLUMN hpo.studies.synthetic IS 'Whether the images are generated: such scores say nothing about blood cells.';
COMMENT ON COLUMN hpo.studies.budget IS 'Trials that all families together may spend.';
COMMENT ON COLUMN hpo.studies.trials IS 'Trials in any state.';
COMMENT ON COLUMN hpo.studies.counted IS 'Trials that have spent budget: complete or pruned.';
COMMENT ON COLUMN hpo.studies.running IS 'Trials that are being trained.';
COMMENT ON COLUMN hpo.studies.paused IS 'Why no new trials are started; null while the study is not paused.';
COMMENT ON COLUMN hpo.studies.closed IS 'Names of the families that have budget left and nothing left to try.';
COMMENT ON COLUMN hpo.studies.started_at IS 'Start of the first trial.';
COMMENT ON COLUMN hpo.studies.last_activity_at IS 'Latest start or end of a trial.';
COMMENT ON COLUMN hpo.studies.program_version IS 'Version of blood_hpo that created the study.';
COMMENT ON COLUMN hpo.studies.fingerprint IS 'What two studies must share for their scores to be comparable.';
COMMENT ON COLUMN hpo.studies.spec IS 'The whole study file.';
COMMENT ON COLUMN hpo.studies.data IS 'Everything known about the data set.';
