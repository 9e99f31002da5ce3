-- Running trials held by the workers of one machine, and how long each was not heard of, in seconds.
select trials.number,
       holder.value_json::jsonb #>> '{}' as worker,
       extract(epoch from (now() at time zone 'utc') - heartbeat)::double precision as silent_seconds
from trials
join trial_heartbeats using (trial_id)
join trial_user_attributes as holder
  on holder.trial_id = trials.trial_id and holder.key = 'worker'
where trials.state = 'RUNNING' and starts_with(holder.value_json, '"' || :host || ':')
order by silent_seconds desc
