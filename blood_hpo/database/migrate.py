"""The schema: Optuna's own tables, then our views and roles, applied as often as anyone likes.

All migrations of a database wait for one advisory lock, so any number of processes may start at
once. What is ours is applied in one transaction: readers see the old views or the new ones.
"""

import hashlib
from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING, Final

from blood_hpo import __version__
from blood_hpo.database.address import engine as connect
from blood_hpo.database.address import engine_options
from blood_hpo.database.failures import database_errors
from blood_hpo.errors import DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

SCHEMA_VERSION: Final = 1
"""Raised when a program of the version before could not work with the schema any more."""
ROLES: Final = ("blood_hpo_worker", "blood_hpo_dashboard", "blood_hpo_analyst")
"""Group roles; sql/10_roles.sql says what each may do."""
_MIGRATE: Final = "blood-hpo db migrate"


def migrate(url: str) -> list[str]:
    """Bring the database to this program's schema; done again, it restores views and rights.

    Args:
        url: The address of the database, of a user who may create tables and, for the roles to be
            made, create roles.

    Returns:
        What was done, in order, a line each.

    Raises:
        DatabaseError: The database cannot be reached, was written by newer software, or this user
            may not change it.
    """
    import optuna.storages  # noqa: F401  it takes its time, which nobody should wait for in line
    from sqlalchemy import create_engine, text

    # The transaction is silent while Optuna changes its own tables, however long that takes.
    engine = create_engine(url, **engine_options("blood-hpo migrate", silence_seconds=0))
    with database_errors(url), engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '5min'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('blood_hpo.migrate'), 0)"))
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        _refuse_newer(_current(connection)[0])
        done = [*_optuna_tables(url), *_our_schema(connection)]
    engine.dispose()
    return done


def ensure_schema(url: str) -> list[str]:
    """Migrate unless the database has exactly this program's schema; see :func:`migrate`."""
    engine = connect(url, "blood-hpo migrate")
    with database_errors(url), engine.connect() as connection:
        current = _current(connection)
    engine.dispose()
    return [] if current == (SCHEMA_VERSION, _digest()) else migrate(url)


def check_schema(engine: "Engine") -> None:
    """Make sure that the program can work with the schema of the database.

    Raises:
        DatabaseError: It is missing, older or newer, or the database cannot be reached.
    """
    with database_errors(engine.url), engine.connect() as connection:
        version, _ = _current(connection)
    if version == 0:
        raise DatabaseError(
            f"database {engine.url.database} has not been prepared; run: {_MIGRATE}"
        )
    if version < SCHEMA_VERSION:
        raise DatabaseError(
            f"database {engine.url.database} has schema {version}, this program needs "
            f"{SCHEMA_VERSION}; run: {_MIGRATE}"
        )
    _refuse_newer(version)


def describe_schema(connection: "Connection") -> str:
    """The schema of the database in a few words."""
    version, digest = _current(connection)
    if version == 0:
        return f"none; run: {_MIGRATE}"
    up_to_date = (version, digest) == (SCHEMA_VERSION, _digest())
    return f"version {version}" if up_to_date else f"version {version}, changed; run: {_MIGRATE}"


def _refuse_newer(version: int) -> None:
    if version > SCHEMA_VERSION:
        raise DatabaseError(
            f"the database has schema {version}, newer than this program's {SCHEMA_VERSION}; "
            "update blood_hpo"
        )


def _current(connection: "Connection") -> tuple[int, str]:
    """Version and digest of the schema in force; 0 where there is none."""
    from sqlalchemy import text

    if connection.scalar(text("SELECT to_regclass('hpo.schema_version')")) is None:
        return 0, ""
    found = connection.execute(
        text("SELECT version, digest FROM hpo.schema_version ORDER BY version DESC LIMIT 1")
    ).one()
    return found.version, found.digest


def _optuna_tables(url: str) -> Iterator[str]:
    from optuna.storages import RDBStorage
    from sqlalchemy import inspect

    engine = connect(url)
    if not inspect(engine).has_table("trials"):
        yield "created Optuna's tables"
    engine.dispose()
    options = engine_options("blood-hpo migrate")
    storage = RDBStorage(url, engine_kwargs=options, skip_compatibility_check=True)
    current, head = storage.get_current_version(), storage.get_head_version()
    if current not in storage.get_all_versions():
        raise DatabaseError(
            f"Optuna's tables have version {current}, newer than this program's {head}; "
            "update blood_hpo"
        )
    if current != head:
        storage.upgrade()
        yield f"upgraded Optuna's tables from {current} to {head}"
    storage.engine.dispose()


def _our_schema(connection: "Connection") -> Iterator[str]:
    from sqlalchemy import text

    views, roles = _views(connection), _roles(connection)
    if views:
        connection.execute(text(f"DROP VIEW {', '.join(views)}"))
    plain = connection.execution_options(no_parameters=True)
    for _, script in _scripts():
        plain.exec_driver_sql(script)
    yield f"created {len(_views(connection))} views in schema hpo"
    for role in ROLES:
        if role not in _roles(connection):
            yield f"left out role {role}, which this user may not create"
        elif role not in roles:
            yield f"created role {role}"
    connection.execute(
        text(
            "INSERT INTO hpo.schema_version (version, digest, program_version) "
            "VALUES (:version, :digest, :program) ON CONFLICT (version) DO UPDATE SET "
            "digest = excluded.digest, program_version = excluded.program_version, "
            "applied_at = excluded.applied_at"
        ),
        {"version": SCHEMA_VERSION, "digest": _digest(), "program": __version__},
    )


def _views(connection: "Connection") -> list[str]:
    """Our views, the newest first: whoever reads one locks it before those it is built on."""
    from sqlalchemy import text

    found = connection.scalars(
        text(
            "SELECT format('hpo.%I', relname) FROM pg_class "
            "WHERE relnamespace = to_regnamespace('hpo') AND relkind = 'v' ORDER BY oid DESC"
        )
    )
    return list(found)


def _roles(connection: "Connection") -> set[str]:
    from sqlalchemy import text

    found = text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles)")
    return set(connection.scalars(found, {"roles": list(ROLES)}))


def _scripts() -> list[tuple[str, str]]:
    """Name and text of the SQL files, in the order in which they are applied."""
    folder = resources.files("blood_hpo.database") / "sql"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return [(file.name, file.read_text(encoding="utf-8")) for file in files]


def _digest() -> str:
    return hashlib.sha256("".join(script for _, script in _scripts()).encode()).hexdigest()
