-- Group roles, without login or password. To let somebody in, give the role itself a login, so that
-- its limits apply: ALTER ROLE blood_hpo_analyst LOGIN PASSWORD '...'. One that the migrating user
-- may not create is left out. Every migration restores their settings, which a role may change. A
-- superuser alone can take from everybody what who only reads could do harm with: locks that hold
-- up claims, what fills the disk, and the databases beside this one.
DO $$ DECLARE command text; BEGIN
    FOR command IN SELECT unnest(ARRAY[
        'CREATE ROLE blood_hpo_worker', 'CREATE ROLE blood_hpo_dashboard',
        'CREATE ROLE blood_hpo_analyst', 'ALTER ROLE blood_hpo_worker RESET ALL',
        'ALTER ROLE blood_hpo_dashboard RESET ALL', 'ALTER ROLE blood_hpo_analyst RESET ALL',
        'ALTER ROLE blood_hpo_analyst SET statement_timeout = ''30s''',
        'ALTER ROLE blood_hpo_analyst SET idle_in_transaction_session_timeout = ''30s''',
        'ALTER ROLE blood_hpo_analyst SET default_transaction_read_only = on',
        'ALTER ROLE blood_hpo_analyst SET search_path = hpo',
        'ALTER ROLE blood_hpo_analyst SET join_collapse_limit = 20',
        'ALTER ROLE blood_hpo_analyst CONNECTION LIMIT 20',
        'ALTER ROLE blood_hpo_analyst SET temp_file_limit = ''256MB''',
        'ALTER ROLE blood_hpo_dashboard SET temp_file_limit = ''256MB''',
        'ALTER ROLE blood_hpo_analyst SET log_min_messages = fatal'
    ])
        UNION ALL
        SELECT format('ALTER ROLE %s IN DATABASE %I RESET ALL', role, current_database())
        FROM unnest(ARRAY['blood_hpo_worker', 'blood_hpo_dashboard', 'blood_hpo_analyst']) AS role
        UNION ALL
        SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database())
        UNION ALL
        SELECT format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', datname)
        FROM pg_database
        WHERE datname IN ('postgres', 'template1') AND datname <> current_database()
        UNION ALL
        SELECT format('REVOKE EXECUTE ON FUNCTION %1$s FROM PUBLIC; '
            'GRANT EXECUTE ON FUNCTION %1$s TO pg_database_owner', oid::regprocedure)
        FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
            AND proname ~ '^pg_((try_)?advisory_(xact_)?lock|logical_e|export)|^lo_(creat|from|put)'
    LOOP
        EXIT WHEN command ^@ 'REVOKE'
            AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
        BEGIN
            EXECUTE command;
        EXCEPTION WHEN insufficient_privilege OR undefined_object -- left out
            OR duplicate_object OR unique_violation -- there, or just made from elsewhere
            OR internal_error THEN -- "tuple concurrently updated": just done from elsewhere
            NULL;
        END;
    END LOOP;
END $$;

DO $$
DECLARE
    results text := 'public.studies, public.study_directions, public.study_user_attributes, '
        'public.study_system_attributes, public.trials, public.trial_user_attributes, '
        'public.trial_system_attributes, public.trial_params, public.trial_values, '
        'public.trial_intermediate_values, public.trial_heartbeats';
    role text;
BEGIN
    FOR role IN SELECT rolname FROM pg_roles
        WHERE rolname IN ('blood_hpo_worker', 'blood_hpo_dashboard', 'blood_hpo_analyst')
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA hpo TO %I', role);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA hpo TO %I', role);
        CONTINUE WHEN role = 'blood_hpo_analyst';
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role);
        EXECUTE format(
            'GRANT SELECT ON %s, public.version_info, public.alembic_version TO %I', results, role
        );
        CONTINUE WHEN role = 'blood_hpo_dashboard';
        EXECUTE format('GRANT INSERT ON %s TO %I', results, role);
        GRANT INSERT ON hpo.study, hpo.budget, hpo.configuration, hpo.attempt, hpo.candidate,
            hpo.test_interval, hpo.artefact, hpo.worker, hpo.result, hpo.fold, hpo.test_opening,
            hpo.tested_model, hpo.mistake, hpo.piece TO blood_hpo_worker;
        GRANT DELETE ON hpo.candidate TO blood_hpo_worker;
        -- What was searched or measured is written once; all else as the program does.
        EXECUTE (SELECT string_agg(format('GRANT UPDATE (%s) ON %s TO %I', names, name, role), ';')
            FROM (VALUES ('hpo.study', 'spec, paused, resumed_at, noted_at, finished_at'),
                ('hpo.budget', 'budget, closed'), ('hpo.worker', 'grace_seconds'),
                ('hpo.configuration', 'place, given_up_at, source_number, recipe'),
                ('hpo.attempt', 'worker, heartbeat_at, open, failure, reason'),
                ('hpo.artefact', 'bytes'), ('hpo.test_interval', 'seeds, low, high'),
                ('hpo.test_opening', 'opened_at'),
                ('public.studies', 'study_id'), -- to lock its row; keys of others hold it in place
                ('public.trials', 'number, state, datetime_start, datetime_complete'),
                ('public.trial_intermediate_values', 'intermediate_value'),
                ('public.study_user_attributes, public.study_system_attributes', 'value_json'),
                ('public.trial_user_attributes, public.trial_system_attributes', 'value_json')
            ) AS changed (name, names));
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public, hpo TO blood_hpo_worker;
    END LOOP;
END $$;
