-- What a study's note says of it besides its progress, its best trials and its models.
select
    studies.study_id, study, description, objective, folds, data_fraction, data_label, data_sha256,
    synthetic, paused, last_activity_at at time zone 'UTC' as last_activity_at,
    (
        select value_json::jsonb #>> '{}'
        from study_user_attributes as attribute
        where attribute.study_id = studies.study_id and key = 'stage_of'
    ) as stage_of
from hpo.studies as described
join studies on studies.study_name = described.study
where studies.study_id = :study_id
