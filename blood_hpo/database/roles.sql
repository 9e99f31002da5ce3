-- Group roles, without login and without passwords. To let somebody in, give the role itself a
-- login, so that its limits apply: ALTER ROLE blood_hpo_analyst LOGIN PASSWORD '...'.
-- A role that the migrating user may not create is left out, and so are its rights. The analyst's
-- limits are restored by every migration: the role itself may loosen some of them. That its sorts
-- cannot fill the disk only a superuser can see to.
DO $$
DECLARE
    role text;
    setting text;
BEGIN
    FOREACH role IN ARRAY ARRAY['blood_hpo_worker', 'blood_hpo_dashboard', 'blood_hpo_analyst']
    LOOP
        CONTINUE WHEN to_regrole(role) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
            NULL; -- left out, or the migration of another database on this server was faster
        END;
    END LOOP;
    FOREACH setting IN ARRAY ARRAY[
        'SET statement_timeout = ''30s''', 'SET idle_in_transaction_session_timeout = ''30s''',
        'SET default_transaction_read_only = on', 'SET search_path = hpo', 'CONNECTION LIMIT 20',
        'SET temp_file_limit = ''256MB'''
    ]
    LOOP
        BEGIN
            EXECUTE 'ALTER ROLE blood_hpo_analyst ' || setting;
        EXCEPTION WHEN insufficient_privilege OR undefined_object THEN
            NULL;
        END;
    END LOOP;
END
$$;

DO $$
DECLARE
    results text := 'public.studies, public.study_directions, public.study_user_attributes, '
        'public.study_system_attributes, public.trials, public.trial_user_attributes, '
        'public.trial_system_attributes, public.trial_params, public.trial_values, '
        'public.trial_intermediate_values, public.trial_heartbeats';
    role text;
BEGIN
    FOR role IN SELECT rolname FROM pg_roles WHERE rolname ~ '^blood_hpo_(worker|dashboard|analyst)$'
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA hpo TO %I', role);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA hpo TO %I', role);
        CONTINUE WHEN role = 'blood_hpo_analyst';
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role);
        EXECUTE format(
            'GRANT SELECT ON %s, public.version_info, public.alembic_version TO %I', results, role
        );
        CONTINUE WHEN role = 'blood_hpo_dashboard';
        EXECUTE format('GRANT INSERT, UPDATE ON %s TO %I', results, role);
        GRANT INSERT, UPDATE ON
            hpo.study, hpo.budget, hpo.configuration, hpo.attempt, hpo.candidate, hpo.test_interval,
            hpo.artefact, hpo.worker TO blood_hpo_worker;
        GRANT INSERT ON -- what was measured is written once
            hpo.result, hpo.fold, hpo.test_opening, hpo.tested_model, hpo.mistake, hpo.piece
            TO blood_hpo_worker;
        GRANT DELETE ON hpo.candidate TO blood_hpo_worker;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public, hpo TO blood_hpo_worker;
    END LOOP;
END
$$;

-- What PostgreSQL lets everybody do in every database, and what somebody who only reads could harm
-- the server with: locks that hold up the workers' claims, large objects and temporary tables that
-- fill the disk. Only a superuser may take such rights away; elsewhere they stay. The databases that
-- every server has beside this one, of which one is copied into new ones, are for its owner alone.
DO $$
DECLARE
    called regprocedure;
    beside text;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RETURN;
    END IF;
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    FOR beside IN
        SELECT datname FROM pg_database
        WHERE datname IN ('postgres', 'template1') AND datname <> current_database()
    LOOP
        EXECUTE format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', beside);
    END LOOP;
    FOR called IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace
            AND (proname ~ '^pg_(try_)?advisory_(xact_)?lock' OR proname ~ '^lo_(creat|from|put)')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', called);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO pg_database_owner, blood_hpo_worker', called);
    END LOOP;
END
$$;
