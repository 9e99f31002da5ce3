-- Serialise claims on one study until the transaction ends, and read the server's clock (naive UTC).
select pg_advisory_xact_lock(hashtext('blood_hpo.claim'), :study_id), clock_timestamp() at time zone 'utc' as now
