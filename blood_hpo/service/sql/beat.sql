-- Record a heartbeat of a running trial.
-- Touches no row when the trial is no longer running or another worker holds it: the lease is lost.
-- The server's clock is the only one that counts, so a worker whose clock is wrong is never stale.
insert into trial_heartbeats (trial_id, heartbeat)
select trials.trial_id, (now() at time zone 'utc')
from trials
join trial_user_attributes as holder
  on holder.trial_id = trials.trial_id and holder.key = 'worker'
where trials.trial_id = :trial_id
  and trials.state = 'RUNNING'
  and holder.value_json = :worker_json
on conflict (trial_id) do update set heartbeat = excluded.heartbeat
