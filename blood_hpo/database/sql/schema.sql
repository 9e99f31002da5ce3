-- migrate_lock: One migration at a time, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtext('blood_hpo.migrate'), 0)

-- prepared: Whether the database has our schema, and whether with numbered migrations; null if not.
SELECT to_regnamespace('hpo') AS schema, to_regclass('hpo.migration') AS numbered

-- migrations: The migrations that were applied.
SELECT number, digest FROM hpo.migration

-- applied: Note that a migration was applied.
INSERT INTO hpo.migration (number, name, digest, program_version)
VALUES (:number, :name, :digest, :program)

-- view_set: Which views are in force.
SELECT version, digest, names FROM hpo.view_set

-- views_there: Which of some views exist, the newest first, in which order readers lock them.
SELECT relname FROM pg_class
WHERE relnamespace = to_regnamespace('hpo') AND relkind = 'v' AND relname = ANY(:names)
ORDER BY oid DESC

-- view_grants: The rights that others have on some views, as statements that give them again.
SELECT relname AS name, format(
    'GRANT %s ON hpo.%I TO %s%s', privilege_type, relname,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END
) AS statement
FROM pg_class CROSS JOIN LATERAL aclexplode(relacl)
WHERE relnamespace = 'hpo'::regnamespace AND relkind = 'v' AND relname = ANY(:names)
    AND grantee <> relowner

-- comments: Statements that say of tables, views and their columns what some words say.
SELECT format(
    'COMMENT ON %s hpo.%I%s IS %L', kind, relname, '.' || quote_ident(name),
    coalesce(words -> relname ->> coalesce(name, 'about'), words -> 'all' ->> name)
)
FROM (SELECT CAST(:words AS jsonb) AS words) AS given
JOIN pg_class ON relnamespace = 'hpo'::regnamespace AND words ? relname
CROSS JOIN LATERAL (
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, NULL::name AS name
    UNION ALL SELECT 'COLUMN', attname FROM pg_attribute
    WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
) AS one

-- views_made: Note which views are in force.
INSERT INTO hpo.view_set (version, digest, names) VALUES (:version, :digest, :names)
ON CONFLICT ((true)) DO UPDATE
SET version = excluded.version, digest = excluded.digest, names = excluded.names

-- roles: Which of some roles exist.
SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles)

-- contents: What a server is, how large its database is, and how many others are connected to it.
SELECT current_setting('server_version') AS postgresql,
    pg_size_pretty(pg_database_size(current_database())) AS size,
    (SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database())
        AS other_connections
