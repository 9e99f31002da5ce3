-- Whether a trial that ends with a value is among its family's best: fewer complete trials of the
-- family than that are at least as good.
select count(*) < :best
from trials
join trial_values on trial_values.trial_id = trials.trial_id and trial_values.objective = 0
join trial_user_attributes as family
  on family.trial_id = trials.trial_id and family.key = 'family'
where trials.study_id = :study_id
  and trials.state = 'COMPLETE'
  and trial_values.value >= :value
  and family.value_json = (
      select value_json
      from trial_user_attributes
      where trial_id = :trial_id and key = 'family'
  )
