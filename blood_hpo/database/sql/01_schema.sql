-- The schema of everything that blood_hpo adds to Optuna's tables. Of results it holds files alone:
-- the views read Optuna's tables, and every migration drops and creates them again.

CREATE SCHEMA IF NOT EXISTS hpo;
COMMENT ON SCHEMA hpo IS
    'Read-only views of the Optuna studies in this database. Owned by blood_hpo: every migration '
    'drops and re-creates them, so keep views of your own in another schema.';

CREATE TABLE IF NOT EXISTS hpo.schema_version (
    version integer PRIMARY KEY,
    digest text NOT NULL,
    program_version text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE hpo.schema_version IS 'The versions of this schema that the database has had.';
COMMENT ON COLUMN hpo.schema_version.version IS 'Version of the schema; the largest is in force.';
COMMENT ON COLUMN hpo.schema_version.digest IS 'SHA-256 of the SQL files that were applied last.';
COMMENT ON COLUMN hpo.schema_version.program_version IS 'Version of blood_hpo that applied it last.';
COMMENT ON COLUMN hpo.schema_version.applied_at IS 'When it was applied last.';

-- All functions are plain expressions, not STRICT and no more constant than what they call, so that
-- the planner puts them into the query: a call each would take twice the time.

-- Python writes NaN and infinities into JSON, which is no JSON: one of them in one attribute would
-- make every view fail. They become null; a JSON string keeps its words.
CREATE OR REPLACE FUNCTION hpo.parse(value_json text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN left(value_json, 1) = '"' THEN value_json::jsonb
        ELSE replace(
            replace(replace(value_json, '-Infinity', 'null'), 'Infinity', 'null'), 'NaN', 'null'
        )::jsonb
    END;
COMMENT ON FUNCTION hpo.parse(text) IS
    'An attribute of a study or trial as jsonb; NaN and infinities become null.';

-- A fifth of the time that parsing takes, where an attribute is a string, a number or a boolean.
CREATE OR REPLACE FUNCTION hpo.scalar(value_json text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN left(value_json, 1) = '"' THEN value_json::json #>> '{}'
        WHEN value_json NOT IN ('null', 'NaN', 'Infinity', '-Infinity') THEN value_json
    END;
COMMENT ON FUNCTION hpo.scalar(text) IS
    'An attribute that is a string, a number or a boolean as text, without quotation marks; null, '
    'NaN and infinities become null.';

-- Optuna stores a categorical value as its place in the list of choices, an integer as a float.
-- json and not jsonb, which would build all choices to take one of them.
DROP FUNCTION IF EXISTS hpo.decode(double precision, text);
CREATE FUNCTION hpo.decode(stored double precision, distribution_json text) RETURNS json
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN distribution_json LIKE '%"CategoricalDistribution"%'
            THEN distribution_json::json #> ARRAY['attributes', 'choices', stored::integer::text]
        WHEN distribution_json LIKE '%"IntDistribution"%' THEN to_json(stored::bigint)
        ELSE to_json(stored)
    END;
COMMENT ON FUNCTION hpo.decode(double precision, text) IS
    'The value of a parameter as it was suggested, from what Optuna stores.';
