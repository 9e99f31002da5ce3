-- The record of a study beside Optuna's own tables; views/words.toml says what each table holds. That
-- no budget is overspent and no configuration is trained twice follows from these keys, at any
-- isolation level and for any program that gives up no place which counts.

-- A time that every reader can hold.
CREATE DOMAIN hpo.moment AS timestamptz CHECK (VALUE BETWEEN '1970-01-01' AND '2200-01-01');

CREATE TABLE hpo.study (
    study_id integer PRIMARY KEY REFERENCES public.studies ON DELETE CASCADE,
    stage text NOT NULL CHECK (stage IN ('search', 'confirm', 'final')),
    search_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE,
    spec jsonb NOT NULL,
    fingerprint text NOT NULL,
    data jsonb NOT NULL CHECK (jsonb_typeof(data) = 'object'),
    program_version text NOT NULL CHECK (program_version !~ '[[:cntrl:]]'),
    created_at hpo.moment NOT NULL DEFAULT clock_timestamp(),
    paused text CHECK (paused !~ '[[:cntrl:]]'),
    resumed_at hpo.moment,
    noted_at hpo.moment,
    finished_at hpo.moment,
    UNIQUE (search_id, stage),
    UNIQUE (study_id, stage),
    CHECK ((stage = 'search') = (search_id = study_id)),
    -- Any worker may write them, and views and report read study files and data sets from them: a
    -- seed that is no number, or a family without a space, would break every page of every study.
    CONSTRAINT study_spec_is_a_study_file CHECK ((
        jsonb_typeof(spec) = 'object'
        AND spec ->> 'name' ~ '^[a-z0-9][a-z0-9_-]{0,79}$'
        AND spec ->> 'seed' ~ '^[0-9]{1,18}$'
        AND coalesce(spec ->> 'description', '') !~ '[[:cntrl:]]'
        AND spec ->> 'objective' ~ '^[a-z_]{1,40}$'
        AND spec #>> '{training,folds}' ~ '^[0-9]{1,4}$'
        AND spec #>> '{training,epochs}' ~ '^[0-9]{1,6}$'
        AND spec #>> '{data,fraction}' ~ '^(1(\.0+)?|0\.[0-9]{0,40}[1-9][0-9]{0,40})$'
        AND jsonb_typeof(spec -> 'families') = 'object'
        AND NOT jsonb_path_exists(spec, 'strict $.families.* ? (@.type() != "object")')
        AND NOT jsonb_path_exists(spec, 'lax $.families.* ? (!(@.space.type() == "object"))')
    ) IS TRUE),
    CONSTRAINT study_data_is_a_data_set CHECK ((
        data ->> 'label' !~ '[[:cntrl:]]'
        AND jsonb_typeof(data -> 'label') = 'string'
        AND data ->> 'sha256' ~ '^[0-9a-f]{64}$'
        AND data ->> 'md5' ~ '^[0-9a-f]{32}$'
        AND data ->> 'origin' ~ '^[a-z]{1,20}$'
        AND jsonb_typeof(data -> 'official') = 'boolean'
        AND jsonb_typeof(data -> 'synthetic') = 'boolean'
    ) IS TRUE)
);

CREATE TABLE hpo.budget (
    study_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE,
    family text NOT NULL CHECK (family ~ '^[a-z][a-z0-9_]*$'),
    budget integer NOT NULL CHECK (budget >= 0),
    closed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (study_id, family),
    UNIQUE (study_id, family, budget)
);

-- A hyperparameter that is a number from 0, decoded once; null if it is anything else.
CREATE FUNCTION hpo.number(config jsonb, name text) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN jsonb_path_query_first(config -> name, '$ ? (@ >= 0)')::double precision;

-- Whether what was measured is; NaN is above infinity here, and what was not measured is null.
CREATE FUNCTION hpo.is_finite(VARIADIC measured double precision[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '-infinity' < ALL (measured) AND 'infinity' > ALL (measured);

-- A place of the budget is held from the claim on, until the configuration is given up.
CREATE TABLE hpo.configuration (
    configuration_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study_id integer NOT NULL,
    stage text NOT NULL,
    family text NOT NULL,
    config_hash text NOT NULL CHECK (config_hash ~ '^[0-9a-f]{16}$'),
    replicate integer NOT NULL DEFAULT 1 CHECK (replicate >= 1),
    seed bigint NOT NULL,
    config jsonb NOT NULL CHECK (jsonb_typeof(config) = 'object' AND config::text !~ E'\\\\'),
    params jsonb NOT NULL CHECK (jsonb_typeof(params) = 'object' AND params::text !~ E'\\\\'
        AND NOT jsonb_path_exists(params, '$.* ? (@.abs() > 1e300 || @ != 0 && @.abs() < 1e-300)')),
    budget integer NOT NULL,
    place integer CHECK (place BETWEEN 1 AND budget),
    given_up_at hpo.moment CHECK (given_up_at IS NULL OR place IS NULL),
    repeats_avoided integer NOT NULL DEFAULT 0 CHECK (repeats_avoided >= 0),
    source_number integer,
    recipe text CHECK (recipe !~ '[[:cntrl:]]'),
    epochs integer,
    patience integer,
    start_epoch integer,
    optimizer text GENERATED ALWAYS AS (config ->> 'optimizer') STORED,
    learning_rate double precision GENERATED ALWAYS AS (hpo.number(config, 'learning_rate')) STORED,
    schedule text GENERATED ALWAYS AS (config ->> 'schedule') STORED,
    weight_decay double precision GENERATED ALWAYS AS (hpo.number(config, 'weight_decay')) STORED,
    label_smoothing double precision GENERATED ALWAYS AS (hpo.number(config, 'label_smoothing')) STORED,
    batch_size integer GENERATED ALWAYS AS (hpo.number(config, 'batch_size')) STORED,
    class_weights text GENERATED ALWAYS AS (config ->> 'class_weights') STORED,
    averaging double precision GENERATED ALWAYS AS (hpo.number(config, 'averaging')) STORED,
    augmentation text GENERATED ALWAYS AS (config ->> 'augmentation') STORED,
    standardise boolean GENERATED ALWAYS AS (config -> 'standardise' = 'true') STORED,
    activation text GENERATED ALWAYS AS (config ->> 'activation') STORED,
    dropout double precision GENERATED ALWAYS AS (hpo.number(config, 'dropout')) STORED,
    units integer GENERATED ALWAYS AS (hpo.number(config, 'units')) STORED,
    kernel_size integer GENERATED ALWAYS AS (hpo.number(config, 'kernel_size')) STORED,
    filters integer GENERATED ALWAYS AS (hpo.number(config, 'filters')) STORED,
    pool_size text GENERATED ALWAYS AS (config ->> 'pool_size') STORED,
    pooling text GENERATED ALWAYS AS (config ->> 'pooling') STORED,
    FOREIGN KEY (study_id, stage) REFERENCES hpo.study (study_id, stage) ON DELETE CASCADE,
    FOREIGN KEY (study_id, family, budget)
        REFERENCES hpo.budget (study_id, family, budget) ON UPDATE CASCADE ON DELETE CASCADE,
    UNIQUE (study_id, family, place) DEFERRABLE, -- a statement may exchange places
    UNIQUE (study_id, config_hash, seed),
    UNIQUE (configuration_id, study_id),
    CONSTRAINT configuration_has_a_place -- or was given up
        CHECK (stage <> 'search' OR (place IS NULL) = (given_up_at IS NOT NULL))
);
CREATE UNIQUE INDEX configuration_once ON hpo.configuration (study_id, family, config)
    WHERE stage = 'search';

CREATE TABLE hpo.worker (
    worker text PRIMARY KEY CHECK (worker !~ '[[:cntrl:]]'),
    program text NOT NULL CHECK (program !~ '[[:cntrl:]]'),
    processor text NOT NULL CHECK (processor !~ '[[:cntrl:]]'),
    grace_seconds double precision NOT NULL CHECK (grace_seconds BETWEEN 0 AND 86400)
);

-- Optuna looks for the largest number of a study by reading all of its trials.
CREATE UNIQUE INDEX IF NOT EXISTS blood_hpo_trial_number
    ON public.trials (study_id, number, trial_id);

-- Of the attempts at a configuration all but one have failed: no configuration is counted twice.
CREATE TABLE hpo.attempt (
    trial_id integer PRIMARY KEY,
    configuration_id integer NOT NULL,
    study_id integer NOT NULL,
    number integer NOT NULL,
    attempt integer NOT NULL CHECK (attempt >= 1),
    worker text CHECK (worker !~ '[[:cntrl:]]'),
    heartbeat_at hpo.moment CHECK (heartbeat_at < clock_timestamp() + '1 hour'), -- or it never ends
    open boolean NOT NULL DEFAULT true,
    failure text CHECK (failure IN ('error', 'lost')),
    reason text CHECK (reason !~ '[[:cntrl:]]'),
    FOREIGN KEY (study_id, number, trial_id)
        REFERENCES public.trials (study_id, number, trial_id) ON DELETE CASCADE,
    FOREIGN KEY (configuration_id, study_id)
        REFERENCES hpo.configuration (configuration_id, study_id) ON DELETE CASCADE,
    UNIQUE (study_id, number),
    UNIQUE (configuration_id, attempt)
);
CREATE UNIQUE INDEX attempt_once ON hpo.attempt (configuration_id) WHERE failure IS NULL;
CREATE INDEX attempt_open ON hpo.attempt (study_id) WHERE open;

-- By the server's clock, since the heartbeat or the start of the server: before, nobody was heard.
CREATE FUNCTION hpo.is_stale(heartbeat_at timestamptz, grace_seconds double precision) RETURNS boolean
    LANGUAGE sql
    RETURN greatest(heartbeat_at, pg_postmaster_start_time())
        < clock_timestamp() - make_interval(secs => grace_seconds);

CREATE TABLE hpo.result (
    trial_id integer NOT NULL REFERENCES hpo.attempt ON DELETE CASCADE,
    epoch integer NOT NULL,
    epochs integer NOT NULL,
    seconds double precision NOT NULL,
    parameter_count bigint NOT NULL,
    confusion integer[] CHECK (cardinality(confusion) = 64),
    CONSTRAINT result_is_finite CHECK (
        seconds < 1e9 AND least(seconds, epoch, epochs, parameter_count) >= 0
    ),
    -- what is read without confusion
    PRIMARY KEY (trial_id) INCLUDE (epoch, epochs, seconds, parameter_count)
);

CREATE TABLE hpo.fold (
    trial_id integer NOT NULL REFERENCES hpo.result ON DELETE CASCADE,
    fold integer NOT NULL CHECK (fold >= 1),
    score double precision NOT NULL,
    epochs integer NOT NULL,
    best_epoch integer NOT NULL,
    train_loss double precision[] NOT NULL,
    validation double precision[] NOT NULL,
    held_out double precision[],
    train_accuracy double precision[],
    validation_accuracy double precision[],
    validation_loss double precision[],
    CONSTRAINT fold_is_a_score CHECK (score BETWEEN 0 AND 1 AND epochs >= 0),
    PRIMARY KEY (trial_id, fold) INCLUDE (score, epochs, best_epoch) -- what is read without curves
);

CREATE TABLE hpo.candidate (
    study_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE,
    family text NOT NULL,
    config_hash text NOT NULL,
    source_number integer NOT NULL,
    search_rank integer NOT NULL,
    search_score double precision NOT NULL,
    left_out text CHECK (left_out !~ '[[:cntrl:]]'),
    rank integer CHECK ((rank IS NULL) = (left_out IS NOT NULL)),
    scores double precision[],
    mean double precision,
    sd double precision,
    low double precision,
    high double precision,
    behind double precision,
    behind_low double precision,
    behind_high double precision,
    p_value double precision,
    collapsed boolean[],
    separable boolean,
    winner boolean NOT NULL,
    CONSTRAINT candidate_is_finite CHECK (hpo.is_finite(VARIADIC scores) AND hpo.is_finite(
        search_score, mean, sd, low, high, behind, behind_low, behind_high, p_value
    )),
    PRIMARY KEY (study_id, config_hash)
);
CREATE UNIQUE INDEX candidate_winner ON hpo.candidate (study_id, family) WHERE winner;

CREATE TABLE hpo.test_opening (
    trial_id integer PRIMARY KEY REFERENCES hpo.attempt ON DELETE CASCADE,
    opened_at hpo.moment NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE hpo.tested_model (
    trial_id integer PRIMARY KEY REFERENCES hpo.result ON DELETE CASCADE
        REFERENCES hpo.test_opening ON DELETE CASCADE,
    file text NOT NULL CHECK (file !~ '[[:cntrl:]]'),
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    loading_difference double precision NOT NULL,
    non_trainable_count bigint NOT NULL,
    validation_images integer NOT NULL,
    validation_errors integer NOT NULL,
    validation_accuracy double precision NOT NULL,
    validation_balanced_accuracy double precision NOT NULL,
    validation_macro_auc double precision,
    validation_log_loss double precision NOT NULL,
    test_images integer NOT NULL,
    test_errors integer NOT NULL,
    test_accuracy double precision NOT NULL,
    test_balanced_accuracy double precision NOT NULL,
    test_macro_auc double precision,
    test_log_loss double precision NOT NULL,
    averaged_accuracy double precision,
    medmnist_auc double precision NOT NULL,
    medmnist_acc double precision NOT NULL,
    medmnist_file text NOT NULL CHECK (medmnist_file !~ '[[:cntrl:]]'),
    confusion integer[] NOT NULL CHECK (cardinality(confusion) = 64),
    scaling_mean double precision[] NOT NULL,
    scaling_deviation double precision[] NOT NULL,
    class_weights double precision[] NOT NULL,
    architecture jsonb NOT NULL,
    versions jsonb NOT NULL,
    CONSTRAINT tested_model_is_finite CHECK (
        hpo.is_finite(VARIADIC scaling_mean || scaling_deviation || class_weights)
        AND hpo.is_finite(
            loading_difference, validation_accuracy, validation_balanced_accuracy,
            validation_macro_auc, validation_log_loss, test_accuracy, test_balanced_accuracy,
            test_macro_auc, test_log_loss, averaged_accuracy, medmnist_auc, medmnist_acc
        )
    )
);

CREATE TABLE hpo.mistake (
    trial_id integer NOT NULL REFERENCES hpo.tested_model ON DELETE CASCADE,
    image integer NOT NULL,
    true_class integer NOT NULL CHECK (true_class BETWEEN 0 AND 7),
    predicted_class integer NOT NULL CHECK (predicted_class BETWEEN 0 AND 7),
    confidence double precision NOT NULL,
    true_probability double precision NOT NULL,
    CONSTRAINT mistake_is_finite CHECK (hpo.is_finite(confidence, true_probability)),
    PRIMARY KEY (trial_id, image)
);

-- What has ended stays as it is, but for what the transaction that ended it adds.
CREATE FUNCTION hpo.refuse_ended() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM FROM hpo.attempt WHERE trial_id = NEW.trial_id FOR SHARE;  -- until who ends it has
    IF EXISTS (SELECT FROM hpo.attempt WHERE trial_id = NEW.trial_id AND NOT open
        AND xmin <> pg_current_xact_id()::xid)
    THEN RAISE 'trial % has ended', NEW.trial_id USING ERRCODE = 'restrict_violation'; END IF;
    RETURN NEW;
END $$;
DO $$ DECLARE name text; BEGIN
    FOREACH name IN ARRAY ARRAY['public.trials', 'public.trial_values', 'public.trial_params',
        'public.trial_intermediate_values', 'hpo.attempt', 'hpo.result', 'hpo.fold',
        'hpo.test_opening', 'hpo.tested_model', 'hpo.mistake']
    LOOP EXECUTE 'CREATE TRIGGER blood_hpo_ended BEFORE INSERT OR UPDATE ON ' || name
        || ' FOR EACH ROW EXECUTE FUNCTION hpo.refuse_ended()'; END LOOP;
END $$;

-- One that is no JSON would break every page of the dashboard. Optuna has NaN beside it.
DO $$ DECLARE name text; BEGIN
    FOREACH name IN ARRAY ARRAY['study_user', 'study_system', 'trial_user', 'trial_system']
    LOOP EXECUTE format('ALTER TABLE public.%s_attributes ADD CONSTRAINT blood_hpo_json CHECK ('
        'regexp_replace(value_json, ''-?(NaN|Infinity)'', ''0'', ''g'')::json IS NOT NULL)', name);
    END LOOP; END $$;

-- A trial ends in both tables, and as the same in both, or in none, whichever program ends it.
CREATE FUNCTION hpo.refuse_half_ended() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM hpo.attempt JOIN public.trials USING (trial_id)
        WHERE trial_id = NEW.trial_id AND (open, failure IS NOT NULL)
            <> (state IN ('WAITING', 'RUNNING'), state = 'FAIL'))
    THEN RAISE 'trial % is for its worker to end', NEW.trial_id USING ERRCODE = '23001'; END IF;
    RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER blood_hpo_half_ended AFTER UPDATE OF state ON public.trials
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hpo.refuse_half_ended();
CREATE CONSTRAINT TRIGGER blood_hpo_half_ended AFTER INSERT OR UPDATE OF open, failure
ON hpo.attempt DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hpo.refuse_half_ended();

CREATE TABLE hpo.test_interval (
    study_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE,
    config_hash text NOT NULL,
    seeds integer NOT NULL,
    low double precision NOT NULL,
    high double precision NOT NULL,
    CONSTRAINT test_interval_is_finite CHECK (hpo.is_finite(low, high)),
    PRIMARY KEY (study_id, config_hash)
);

-- In pieces, before the transaction that links the file, so that none lasts long on a slow link.
CREATE TABLE hpo.piece (
    study_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    piece integer NOT NULL CHECK (piece >= 0),
    content bytea NOT NULL,
    stored_at hpo.moment NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (study_id, sha256, piece)
);
ALTER TABLE hpo.piece ALTER COLUMN content SET STORAGE EXTERNAL; -- it is compressed already

CREATE TABLE hpo.artefact (
    study_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE,
    name text NOT NULL CHECK (name !~ '[[:cntrl:]]'),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes integer NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (study_id, name)
);
CREATE INDEX artefact_sha256 ON hpo.artefact (sha256); -- the dashboard asks for files by their content
