-- One at a time looks after a study's note, until the transaction ends.
select pg_advisory_xact_lock(hashtext('blood_hpo.note'), :study_id)
