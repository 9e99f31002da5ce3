-- When a study's note was last looked after (naive UTC), and what time it is.
select
    (
        select (value_json::jsonb #>> '{}')::timestamp
        from study_system_attributes
        where study_id = :study_id and key = 'blood_hpo:noted_at'
    ) as noted_at,
    clock_timestamp() at time zone 'utc' as now
