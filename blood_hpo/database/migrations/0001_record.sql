-- The record of a study beside Optuna's own tables: what is promised and what is large.
-- Tables are singular (what one row is), the views that people ask are plural.
--
-- Optuna's tables keep states, times, parameters, values and the report of each epoch. Here is which
-- configuration holds which place of a budget, who attempts it, and what an attempt measured. That
-- no budget is overspent and no configuration is trained twice follows from the keys below, at any
-- isolation level and for any program.

CREATE TABLE hpo.study (
    study_id integer PRIMARY KEY REFERENCES public.studies ON DELETE CASCADE,
    stage text NOT NULL CHECK (stage IN ('search', 'confirm', 'final')),
    -- the search that it belongs to; of a search its own key
    search_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE,
    -- the whole study file, with defaults and budgets resolved
    spec jsonb NOT NULL CHECK (jsonb_typeof(spec) = 'object'),
    fingerprint text NOT NULL, -- what two studies must share for their scores to be comparable
    -- label, origin and checksums of the data set; whether it is official, whether synthetic
    data jsonb NOT NULL CHECK (jsonb_typeof(data) = 'object'),
    program_version text NOT NULL, -- version of blood_hpo that created it
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    paused text, -- why no trials are started; null while it is not paused
    resumed_at timestamptz, -- when it was last resumed: earlier failures are forgiven
    noted_at timestamptz, -- when its note on the dashboard was last looked after
    UNIQUE (search_id, stage),
    UNIQUE (study_id, stage),
    CHECK ((stage = 'search') = (search_id = study_id))
);
COMMENT ON TABLE hpo.study IS 'A search, or a stage that follows it: what it was created from, and whether it is paused.';

CREATE TABLE hpo.budget (
    study_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE,
    family text NOT NULL,
    budget integer NOT NULL CHECK (budget >= 0), -- places for configurations
    closed boolean NOT NULL DEFAULT false, -- whether nothing is left to try although places are
    PRIMARY KEY (study_id, family),
    UNIQUE (study_id, family, budget)
);
COMMENT ON TABLE hpo.budget IS 'How many configurations of a family a study trains.';

-- A place of the budget is held from the claim on, and given back when a configuration is given up.
-- The key on (family, place) and the check of the place against the budget, which the foreign key
-- keeps equal to the family's, are the promise that a budget is never overspent.
CREATE TABLE hpo.configuration (
    configuration_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study_id integer NOT NULL,
    stage text NOT NULL,
    family text NOT NULL,
    config_hash text NOT NULL CHECK (config_hash ~ '^[0-9a-f]{16}$'),
    -- of the confirmation: fresh split, from 1; of the final stage: number of the seed, from 1; else 1
    replicate integer NOT NULL DEFAULT 1 CHECK (replicate >= 1),
    seed bigint NOT NULL,
    config jsonb NOT NULL CHECK (jsonb_typeof(config) = 'object'), -- all hyperparameters: searched, fixed and default
    params jsonb NOT NULL CHECK (jsonb_typeof(params) = 'object'), -- what was searched
    budget integer NOT NULL, -- the family's budget, which bounds the place
    -- place of the budget that it holds, from 1; null when it was given up, or is not of the plan in force
    place integer CHECK (place BETWEEN 1 AND budget),
    -- when its last attempt failed; null if none is left to fail
    given_up_at timestamptz CHECK (given_up_at IS NULL OR place IS NULL),
    -- samples drawn before it that had been tried already
    repeats_avoided integer NOT NULL DEFAULT 0 CHECK (repeats_avoided >= 0),
    source_number integer, -- of the stages: number of the search's trial that found it
    recipe text, -- of the final stage: winner of the search, report or recommended
    epochs integer, -- of the final stage: most epochs of the training
    patience integer, -- of the final stage: epochs without a better score after which it ends
    start_epoch integer, -- of the final stage: epoch from which on that counts
    -- Hyperparameters as columns, decoded once; null where a family has none, or one of another type.
    optimizer text GENERATED ALWAYS AS (config ->> 'optimizer') STORED,
    learning_rate double precision GENERATED ALWAYS AS (jsonb_path_query_first(config, '$.learning_rate ? (@ >= 0)')::float8) STORED,
    schedule text GENERATED ALWAYS AS (config ->> 'schedule') STORED,
    weight_decay double precision GENERATED ALWAYS AS (jsonb_path_query_first(config, '$.weight_decay ? (@ >= 0)')::float8) STORED,
    label_smoothing double precision GENERATED ALWAYS AS (jsonb_path_query_first(config, '$.label_smoothing ? (@ >= 0)')::float8) STORED,
    batch_size integer GENERATED ALWAYS AS (jsonb_path_query_first(config, '$.batch_size ? (@ >= 0)')::integer) STORED,
    class_weights text GENERATED ALWAYS AS (config ->> 'class_weights') STORED,
    averaging double precision GENERATED ALWAYS AS (jsonb_path_query_first(config, '$.averaging ? (@ >= 0)')::float8) STORED,
    augmentation text GENERATED ALWAYS AS (config ->> 'augmentation') STORED,
    standardise boolean GENERATED ALWAYS AS (config -> 'standardise' = 'true') STORED,
    activation text GENERATED ALWAYS AS (config ->> 'activation') STORED,
    dropout double precision GENERATED ALWAYS AS (jsonb_path_query_first(config, '$.dropout ? (@ >= 0)')::float8) STORED,
    units integer GENERATED ALWAYS AS (jsonb_path_query_first(config, '$.units ? (@ >= 0)')::integer) STORED,
    kernel_size integer GENERATED ALWAYS AS (jsonb_path_query_first(config, '$.kernel_size ? (@ >= 0)')::integer) STORED,
    filters integer GENERATED ALWAYS AS (jsonb_path_query_first(config, '$.filters ? (@ >= 0)')::integer) STORED,
    pool_size text GENERATED ALWAYS AS (config ->> 'pool_size') STORED,
    pooling text GENERATED ALWAYS AS (config ->> 'pooling') STORED,
    FOREIGN KEY (study_id, stage) REFERENCES hpo.study (study_id, stage) ON DELETE CASCADE,
    FOREIGN KEY (study_id, family, budget)
        REFERENCES hpo.budget (study_id, family, budget) ON UPDATE CASCADE ON DELETE CASCADE,
    UNIQUE (study_id, family, place),
    UNIQUE (study_id, config_hash, seed)
);
CREATE UNIQUE INDEX configuration_once ON hpo.configuration (study_id, config_hash)
    WHERE stage = 'search';
COMMENT ON TABLE hpo.configuration IS 'A configuration that a study trains, and the place of the budget that it holds. A search trains each once; the stages after it again, with other seeds.';

-- Of the attempts at a configuration all but one have failed: no configuration is counted twice.
CREATE TABLE hpo.attempt (
    trial_id integer PRIMARY KEY REFERENCES public.trials ON DELETE CASCADE,
    configuration_id integer NOT NULL REFERENCES hpo.configuration ON DELETE CASCADE, -- what is attempted
    study_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE,
    number integer NOT NULL, -- Optuna's number of the trial, from 0
    attempt integer NOT NULL CHECK (attempt >= 1), -- place among the attempts at the configuration, from 1
    worker text, -- who holds it or held it last; null while it waits for one
    heartbeat_at timestamptz, -- when that worker was last heard of, by the server's clock
    open boolean NOT NULL DEFAULT true, -- whether it waits or runs: what claims and janitors look at
    failure text CHECK (failure IN ('error', 'lost')), -- of a failed attempt: error, or lost with its worker
    reason text, -- why it was pruned or failed
    UNIQUE (study_id, number),
    UNIQUE (configuration_id, attempt)
);
CREATE UNIQUE INDEX attempt_once ON hpo.attempt (configuration_id) WHERE failure IS NULL;
CREATE INDEX attempt_open ON hpo.attempt (study_id) WHERE open;
COMMENT ON TABLE hpo.attempt IS 'An Optuna trial as an attempt at a configuration.';

CREATE TABLE hpo.result (
    trial_id integer NOT NULL REFERENCES hpo.attempt ON DELETE CASCADE,
    epoch integer NOT NULL, -- last epoch, from 1
    epochs integer NOT NULL, -- epochs trained, summed over the folds
    seconds double precision NOT NULL, -- wall time of the attempt in seconds
    parameter_count bigint NOT NULL,
    -- images of the held-out folds by true class, then predicted class, row by row
    confusion integer[] CHECK (cardinality(confusion) = 64),
    mean_folds integer[] NOT NULL, -- folds that were trained in each epoch
    mean_train_loss double precision[] NOT NULL, -- mean training loss over those folds, an element an epoch
    mean_validation double precision[] NOT NULL, -- mean validation score over those folds
    mean_score double precision[] NOT NULL, -- mean held-out score over those folds
    -- what is read without curves and confusion
    PRIMARY KEY (trial_id) INCLUDE (epoch, epochs, seconds, parameter_count)
);
COMMENT ON TABLE hpo.result IS 'What a complete or pruned attempt measured over all its folds.';

CREATE TABLE hpo.fold (
    trial_id integer NOT NULL REFERENCES hpo.result ON DELETE CASCADE,
    fold integer NOT NULL CHECK (fold >= 1),
    -- objective on the held-out fold, or on the validation split of a retraining, with the weights of best_epoch
    score double precision NOT NULL,
    epochs integer NOT NULL, -- epochs that it was trained for
    best_epoch integer NOT NULL, -- epoch whose weights early stopping restored, from 1
    train_loss double precision[] NOT NULL, -- mean training loss of each epoch
    validation double precision[] NOT NULL, -- score on the validation split, which early stopping watches
    held_out double precision[], -- objective on the held-out fold
    train_accuracy double precision[], -- of a retraining: accuracy on the training images
    validation_accuracy double precision[], -- of a retraining: accuracy on the validation split
    validation_loss double precision[], -- of a retraining: loss on the validation split
    PRIMARY KEY (trial_id, fold) INCLUDE (score, epochs, best_epoch) -- what is read without the curves
);
COMMENT ON TABLE hpo.fold IS 'A fold of a complete or pruned attempt; a retraining has one. Curves have an element an epoch.';

CREATE TABLE hpo.candidate (
    study_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE, -- Optuna's key of the confirmation
    family text NOT NULL,
    config_hash text NOT NULL,
    source_number integer NOT NULL, -- number of the search's trial that found it
    search_rank integer NOT NULL, -- place in the family by the search's score, from 1
    search_score double precision NOT NULL, -- the search's score
    left_out text, -- why it could not be compared; null if it was
    rank integer CHECK ((rank IS NULL) = (left_out IS NOT NULL)), -- place in the family by confirmed mean, from 1
    scores double precision[], -- objective by split and fold
    mean double precision, -- mean over all fresh folds
    sd double precision, -- sample standard deviation over all fresh folds
    low double precision, -- lower end of the interval of the mean; null where there are too few folds for one
    high double precision,
    behind double precision, -- how far the best is ahead, paired over the folds
    behind_low double precision, -- lower end of the interval of that difference
    behind_high double precision,
    p_value double precision, -- adjusted p-value of that difference
    collapsed boolean[], -- by split and fold: whether the network has learnt nothing
    separable boolean, -- whether it is worse than the best beyond chance
    winner boolean NOT NULL DEFAULT false, -- whether it is the one that is retrained
    PRIMARY KEY (study_id, config_hash)
);
CREATE UNIQUE INDEX candidate_winner ON hpo.candidate (study_id, family) WHERE winner;
COMMENT ON TABLE hpo.candidate IS 'A configuration that was run again on fresh folds, held against the best of its family.';

CREATE TABLE hpo.test_opening (
    trial_id integer NOT NULL REFERENCES hpo.attempt ON DELETE CASCADE,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (trial_id, opened_at)
);
COMMENT ON TABLE hpo.test_opening IS 'The test split was opened for the model that an attempt trained.';

CREATE TABLE hpo.tested_model (
    trial_id integer PRIMARY KEY REFERENCES hpo.result ON DELETE CASCADE,
    file text NOT NULL, -- name of the model's file
    sha256 text NOT NULL,
    bytes bigint NOT NULL, -- its size in bytes
    -- largest difference of a probability between the file and the trained network, on the validation split
    loading_difference double precision NOT NULL,
    non_trainable_count bigint NOT NULL, -- its moving statistics
    validation_images integer NOT NULL, -- validation images
    validation_errors integer NOT NULL, -- misclassified validation images
    validation_accuracy double precision NOT NULL, -- accuracy on the validation split
    validation_balanced_accuracy double precision NOT NULL, -- mean recall of the classes on the validation split
    validation_macro_auc double precision, -- mean area under the ROC curves of the classes on the validation split
    -- mean negative log-probability of the true class on the validation split
    validation_log_loss double precision NOT NULL,
    test_images integer NOT NULL, -- test images
    test_errors integer NOT NULL, -- misclassified test images
    test_accuracy double precision NOT NULL, -- accuracy on the test split
    test_balanced_accuracy double precision NOT NULL, -- mean recall of the classes on the test split
    test_macro_auc double precision, -- mean area under the ROC curves of the classes on the test split
    test_log_loss double precision NOT NULL, -- mean negative log-probability of the true class on the test split
    -- accuracy of predictions averaged over the eight symmetries; null where not asked for
    averaged_accuracy double precision,
    medmnist_auc double precision NOT NULL, -- AUC by medmnist's own evaluator
    medmnist_acc double precision NOT NULL, -- accuracy by medmnist's own evaluator
    medmnist_file text NOT NULL, -- name of the result file that it wrote
    -- test images by true class, then predicted class, row by row
    confusion integer[] NOT NULL CHECK (cardinality(confusion) = 64),
    scaling_mean double precision[] NOT NULL, -- subtracted from each channel
    scaling_deviation double precision[] NOT NULL, -- by which each channel is divided
    class_weights double precision[] NOT NULL, -- weight of each class in the loss
    architecture jsonb NOT NULL, -- its layers in order
    versions jsonb NOT NULL -- versions of what decides a result
);
COMMENT ON TABLE hpo.tested_model IS 'A model that was retrained on the whole training split, exported and tested.';

CREATE TABLE hpo.mistake (
    trial_id integer NOT NULL REFERENCES hpo.tested_model ON DELETE CASCADE,
    image integer NOT NULL, -- place of the image in the test split, from 0
    true_class integer NOT NULL CHECK (true_class BETWEEN 0 AND 7), -- label of the image, 0 to 7
    predicted_class integer NOT NULL CHECK (predicted_class BETWEEN 0 AND 7), -- label that the model gives it
    confidence double precision NOT NULL, -- probability of the predicted class
    true_probability double precision NOT NULL, -- probability of the true class
    PRIMARY KEY (trial_id, image)
);
COMMENT ON TABLE hpo.mistake IS 'A test image that a tested model gets wrong.';

CREATE TABLE hpo.test_interval (
    study_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE, -- Optuna's key of the final stage
    config_hash text NOT NULL,
    seeds integer NOT NULL, -- models that it was computed from
    low double precision NOT NULL,
    high double precision NOT NULL,
    PRIMARY KEY (study_id, config_hash)
);
COMMENT ON TABLE hpo.test_interval IS 'The 95 % interval of a configuration''s mean test accuracy over its seeds and over test images.';

-- A file is stored in pieces before the transaction that links it, so that none lasts long on a slow
-- link; pieces are stored as they are, since models and predictions are compressed already.
CREATE TABLE hpo.piece (
    -- Optuna's key of the study; the file goes with it
    study_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE,
    sha256 text NOT NULL, -- SHA-256 of the whole file
    piece integer NOT NULL CHECK (piece >= 0), -- place in the file, from 0
    content bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (study_id, sha256, piece)
);
ALTER TABLE hpo.piece ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX piece_sha256 ON hpo.piece (sha256); -- the dashboard asks for files by their content
COMMENT ON TABLE hpo.piece IS 'A piece of a file that a trial left.';

CREATE TABLE hpo.artefact (
    study_id integer NOT NULL REFERENCES hpo.study ON DELETE CASCADE,
    name text NOT NULL, -- number of the trial, a slash and the name of the file; or the name alone
    sha256 text NOT NULL, -- SHA-256 of the content
    bytes bigint NOT NULL,
    linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (study_id, name)
);
COMMENT ON TABLE hpo.artefact IS 'A file of a study by name: models, predictions, pictures.';

-- Optuna looks for the largest number of a study by reading all of its trials.
CREATE INDEX IF NOT EXISTS blood_hpo_trial_number ON public.trials (study_id, number);
