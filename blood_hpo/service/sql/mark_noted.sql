-- Remember when a study's note was looked after: before what it says was read.
insert into study_system_attributes (study_id, key, value_json)
values (:study_id, 'blood_hpo:noted_at', to_json(cast(:noted_at as timestamp))::text)
on conflict (study_id, key) do update set value_json = excluded.value_json
