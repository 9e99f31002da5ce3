-- How many configurations failed since the study's latest success, or since it was last resumed, and
-- why the latest one did. Attempts that were merely lost with their worker say nothing about the
-- study and are passed over, unless the configuration was given up for it.
select
    count(distinct identity.value_json) as configurations,
    (array_agg(reason.value_json order by trials.datetime_complete desc, trials.trial_id desc))[1]
        as last_reason
from trials
left join trial_user_attributes as identity
    on identity.trial_id = trials.trial_id and identity.key = 'config_hash'
left join trial_user_attributes as failure
    on failure.trial_id = trials.trial_id and failure.key = 'failure'
left join trial_user_attributes as final
    on final.trial_id = trials.trial_id and final.key = 'final_failure'
left join trial_user_attributes as reason
    on reason.trial_id = trials.trial_id and reason.key = 'reason'
where trials.study_id = :study_id
    and trials.state = 'FAIL'
    and (failure.value_json is distinct from '"lost"' or final.value_json = 'true')
    and trials.datetime_complete > greatest(
        coalesce(
            (
                select max(successes.datetime_complete)
                from trials as successes
                where successes.study_id = :study_id and successes.state in ('COMPLETE', 'PRUNED')
            ),
            '-infinity'
        ),
        coalesce(
            (
                select (value_json::jsonb #>> '{}')::timestamp
                from study_user_attributes
                where study_id = :study_id and key = 'resumed'
            ),
            '-infinity'
        )
    )
