-- What the migration of the database asks and notes.

-- name: migrate_lock
-- One migration at a time, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtext('blood_hpo.migrate'), 0)

-- name: has_schema
-- Whether the database has been prepared; null if not.
SELECT to_regnamespace('hpo')

-- name: has_migrations
-- Whether it was prepared by a program that numbers its migrations; null if not.
SELECT to_regclass('hpo.migration')

-- name: migrations
-- The migrations that were applied.
SELECT number, digest FROM hpo.migration ORDER BY number

-- name: applied
-- Note that a migration was applied.
INSERT INTO hpo.migration (number, name, digest, program_version)
VALUES (:number, :name, :digest, :program)

-- name: view_set
-- Which views are in force.
SELECT version, digest, names FROM hpo.view_set

-- name: views_there
-- Which of some views exist, the newest first: whoever reads one locks it before those it is built on.
SELECT relname FROM pg_class
WHERE relnamespace = to_regnamespace('hpo') AND relkind = 'v' AND relname = ANY(:names)
ORDER BY oid DESC

-- name: view_grants
-- The rights that others have on some views, as statements that give them again.
SELECT
    relname AS name,
    format(
        'GRANT %s ON hpo.%I TO %s%s', acl.privilege_type, relname,
        CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END,
        CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
    ) AS statement
FROM pg_class
CROSS JOIN LATERAL aclexplode(relacl) AS acl
WHERE relnamespace = 'hpo'::regnamespace AND relkind = 'v' AND relname = ANY(:names)
    AND acl.grantee <> relowner

-- name: views_made
-- Note which views are in force.
INSERT INTO hpo.view_set (version, digest, names, program_version)
VALUES (:version, :digest, :names, :program)
ON CONFLICT ((true)) DO UPDATE SET
    version = excluded.version, digest = excluded.digest, names = excluded.names,
    program_version = excluded.program_version, applied_at = excluded.applied_at

-- name: roles
-- Which of some roles exist.
SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles)
