-- The oldest trial that waits for a worker: drained, or enqueued again after its worker died.
-- Trials enqueued by other programs carry no configuration and are left alone.
select trials.trial_id
from trials
join trial_user_attributes as config
  on config.trial_id = trials.trial_id and config.key = 'config_hash'
where trials.study_id = :study_id and trials.state = 'WAITING'
order by trials.number
limit 1
