-- The trial that a worker goes on with before a new one is made: one that it holds already, because
-- the answer to its claim was lost on the way, or the oldest that waits for a worker, drained or
-- enqueued again after its worker died.
-- Trials enqueued by other programs carry no configuration and are left alone.
-- Locked, because a janitor may be failing the trial at this moment: then it is not found.
select trials.trial_id
from trials
join trial_user_attributes as config
  on config.trial_id = trials.trial_id and config.key = 'config_hash'
left join trial_user_attributes as holder
  on holder.trial_id = trials.trial_id and holder.key = 'worker'
where trials.study_id = :study_id
  and (trials.state = 'WAITING' or trials.state = 'RUNNING' and holder.value_json = :worker_json)
order by trials.state = 'RUNNING' desc, trials.number
limit 1
for update of trials
