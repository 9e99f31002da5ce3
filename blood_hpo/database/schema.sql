-- What the database has been brought to: the one part of the schema that never changes.

CREATE SCHEMA IF NOT EXISTS hpo;
COMMENT ON SCHEMA hpo IS
    'The record of the studies of blood_hpo: tables beside Optuna''s, and views to ask. Migrations '
    're-create the views; keep views of your own in another schema.';

CREATE TABLE IF NOT EXISTS hpo.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    digest text NOT NULL,
    program_version text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE IF NOT EXISTS hpo.view_set (
    version integer NOT NULL,
    digest text NOT NULL,
    names text[] NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS view_set_one ON hpo.view_set ((true));
