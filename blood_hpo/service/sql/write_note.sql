-- Write a study's note where optuna-dashboard reads it, if it differs from what is there: the text
-- in pieces that it joins, of which one is enough here, and a number that grows with every change.
with changed as (
    insert into study_system_attributes (study_id, key, value_json)
    values (:study_id, 'dashboard:note_str:0', :text_json)
    on conflict (study_id, key) do update set value_json = excluded.value_json
    where study_system_attributes.value_json <> excluded.value_json
    returning study_id
), emptied as (
    update study_system_attributes as piece
    set value_json = '""'
    from changed
    where piece.study_id = changed.study_id
      and piece.key like 'dashboard:note\_str:%'
      and piece.key <> 'dashboard:note_str:0'
)
insert into study_system_attributes (study_id, key, value_json)
select study_id, 'dashboard:note_ver', '1'
from changed
on conflict (study_id, key) do update
set value_json = (study_system_attributes.value_json::integer + 1)::text
