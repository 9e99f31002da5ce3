-- Whether a trial with a value would be among the best of its family: fewer complete trials of the
-- study and family than that are at least as good.
select count(*) < :count
from trials as own
join trial_user_attributes as own_family
  on own_family.trial_id = own.trial_id and own_family.key = 'family'
join trials on trials.study_id = own.study_id and trials.state = 'COMPLETE'
join trial_values on trial_values.trial_id = trials.trial_id and trial_values.objective = 0
join trial_user_attributes as family
  on family.trial_id = trials.trial_id and family.key = 'family'
where own.trial_id = :trial_id
  and trial_values.value >= :value
  and family.value_json = own_family.value_json
