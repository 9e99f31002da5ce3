-- How many of the study's finished trials, counted back from the latest, failed by their own fault.
-- Trials whose worker died ('lost') say nothing about the study and are passed over.
with finished as (
    select trials.state,
           row_number() over (order by trials.datetime_complete desc, trials.trial_id desc) as nth
    from trials
    left join trial_user_attributes as failure
      on failure.trial_id = trials.trial_id and failure.key = 'failure'
    where trials.study_id = :study_id
      and trials.state in ('COMPLETE', 'PRUNED', 'FAIL')
      and failure.value_json is distinct from '"lost"'
)
select coalesce(min(nth) filter (where state <> 'FAIL') - 1, count(*)) as failures
from finished
