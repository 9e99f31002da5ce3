-- Give running trials of a study that nobody was ever heard of a heartbeat of long ago, so that they
-- are found silent.
insert into trial_heartbeats (trial_id, heartbeat)
select trials.trial_id, timestamp '2000-01-01'
from trials
where trials.study_id = :study_id and trials.state = 'RUNNING'
on conflict (trial_id) do nothing
