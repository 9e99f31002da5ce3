"""Bringing a database to this program's schema: Optuna's tables, ours, then views and roles.

All migrations of a database wait for one advisory lock, so any number of processes may start at
once. What is ours is applied in one transaction: readers see the old schema or the new one. Tables
change by ``migrations/NNNN_name.sql``, each applied once; views are dropped and made again when
they differ, with the rights that others gave on them.
"""

import json
import logging
import re
import time
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import OperationalError

from blood_hpo.database.address import connected, engine_options
from blood_hpo.database.schema_version import MIGRATE, VIEWS_VERSION, State, read_state
from blood_hpo.database.scripts import migrations, schema_file, views, views_digest, words
from blood_hpo.database.statements import statement
from blood_hpo.errors import DatabaseError
from blood_hpo.version import __version__

ROLES: Final = ("blood_hpo_worker", "blood_hpo_dashboard", "blood_hpo_analyst")
"""Group roles; roles.sql says what each may do."""
_LOCK_SECONDS: Final = 60.0
_logger = logging.getLogger(__name__)


def migrate(url: str) -> list[str]:
    """Bring the database to this program's schema; done again, it restores views and rights.

    The address is that of a user who may create tables and, for the roles to be made, create roles.
    What comes back is what was done, a line each.

    Raises:
        DatabaseError: The database cannot be reached, was written by newer software, this user may
            not change it, or somebody holds on to a view for a minute.
    """
    import optuna.storages  # noqa: F401  it takes its time, which nobody should wait for in line

    with connected(url, "blood-hpo migrate") as engine:
        return _patiently(engine, url)


def ensure_schema(url: str) -> list[str]:
    """Migrate unless the database has exactly this program's schema; see :func:`migrate`.

    Raises:
        DatabaseError: As `migrate`; also where another build of this version made the views.
    """
    with connected(url, "blood-hpo migrate") as engine, engine.connect() as connection:
        state = read_state(connection)
    if state.views and state.views[0] == VIEWS_VERSION and state.views[1] != views_digest():
        raise DatabaseError(f"another build of this program made the views; run: {MIGRATE}")
    return [] if state.current else migrate(url)


def _patiently(engine: Engine, url: str) -> list[str]:
    """Try until nobody holds on to a view, never holding up others for more than two seconds."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            with engine.begin() as connection:
                return _migrate(connection, url)
        except OperationalError as error:
            held = getattr(error.orig, "pgcode", None) == "55P03"
            if not held or time.monotonic() > deadline:
                raise
            _logger.warning("somebody reads a view in an open transaction; trying again")
            time.sleep(1.0)


def _migrate(connection: Connection, url: str) -> list[str]:
    connection.execute(statement("migrate_lock"))
    connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
    # It is silent while Optuna changes its own tables, however long that takes.
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    state = read_state(connection)
    state.refuse_other()
    tables = _optuna_tables(connection, url)
    return [*tables, *_our_tables(connection, state), *_views_and_roles(connection)]


def _optuna_tables(connection: Connection, url: str) -> Iterator[str]:
    from optuna.storages import RDBStorage

    if not inspect(connection).has_table("trials"):
        yield "created Optuna's tables"
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


def _our_tables(connection: Connection, state: State) -> Iterator[str]:
    _run(connection, schema_file("schema.sql"))
    for one in migrations():
        if one.number not in (state.applied or {}):
            _run(connection, one.sql)
            applied = {"number": one.number, "name": one.name, "digest": one.digest}
            connection.execute(statement("applied"), {**applied, "program": __version__})
            yield f"applied migration {one.name.removesuffix('.sql')}"


def _views_and_roles(connection: Connection) -> Iterator[str]:
    names = re.findall(r"^CREATE VIEW hpo\.(\w+)", views(), re.MULTILINE)
    found = connection.execute(statement("view_set")).one_or_none()
    there = set(connection.scalars(statement("views_there"), {"names": names}))
    if found is None or found.digest != views_digest() or there != set(names):
        yield from _views(connection, found.names if found else [], names)
    roles = _roles(connection)
    _run(connection, schema_file("roles.sql"))
    for role in ROLES:
        if role not in _roles(connection):
            yield f"left out role {role}, which this user may not create"
        elif role not in roles:
            yield f"created role {role}"


def _views(connection: Connection, old: list[str], new: list[str]) -> Iterator[str]:
    """Make the views again, with the rights that others gave on them."""
    grants = connection.execute(statement("view_grants"), {"names": old}).all()
    there = connection.scalars(statement("views_there"), {"names": [*old, *new]}).all()
    if there:
        connection.exec_driver_sql(f"DROP VIEW {', '.join(f'hpo.{name}' for name in there)}")
    _run(connection, views())
    said = connection.scalars(statement("comments"), {"words": json.dumps(words())})
    _run(connection, ";".join([*said, *(one.statement for one in grants if one.name in new)]))
    made = {"version": VIEWS_VERSION, "digest": views_digest(), "names": new}
    connection.execute(statement("views_made"), made)
    yield f"created {len(new)} views in schema hpo"


def _run(connection: Connection, sql: str) -> None:
    connection.execution_options(no_parameters=True).exec_driver_sql(sql)


def _roles(connection: Connection) -> set[str]:
    return set(connection.scalars(statement("roles"), {"roles": list(ROLES)}))
