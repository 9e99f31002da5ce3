-- Mark failed trials of a study as given up: their configurations will not be tried again.
insert into trial_user_attributes (trial_id, key, value_json)
select trials.trial_id, 'final_failure', 'true'
from trials
where trials.study_id = :study_id and trials.state = 'FAIL' and trials.number = any(:numbers)
on conflict (trial_id, key) do update set value_json = excluded.value_json
