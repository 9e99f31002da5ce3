-- Running trials of a study whose worker has not been heard of for the grace time.
-- Silence is counted from the last heartbeat or from the start of the server, whichever is later:
-- while the server was away nobody could be heard.
select trials.trial_id
from trials
join trial_heartbeats using (trial_id)
where trials.study_id = :study_id
  and trials.state = 'RUNNING'
  and greatest(heartbeat, pg_postmaster_start_time() at time zone 'utc')
      < (now() at time zone 'utc') - make_interval(secs => :grace_seconds)
order by trials.number
