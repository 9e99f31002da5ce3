-- The server's clock as Optuna stores times: naive, in UTC.
select clock_timestamp() at time zone 'utc'
