"""The schema: Optuna's tables, ours in numbered migrations, then views and roles.

All migrations of a database wait for one advisory lock, so any number of processes may start at
once. What is ours is applied in one transaction: readers see the old schema or the new one. Tables
change by ``migrations/NNNN_name.sql``, each applied once; views are dropped and made again when
they differ, with the rights that others gave on them. ``views/words.toml`` says what tables, views
and columns mean.
"""

import hashlib
import json
import logging
import re
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

from blood_hpo import __version__
from blood_hpo.database.address import connected, engine_options
from blood_hpo.database.failures import database_errors
from blood_hpo.database.statements import statement
from blood_hpo.errors import DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

VIEWS_VERSION: Final = 4
"""Raised with every change of a view, so that an older program never puts older views in place."""
ROLES: Final = ("blood_hpo_worker", "blood_hpo_dashboard", "blood_hpo_analyst")
"""Group roles; roles.sql says what each may do."""
_MIGRATE: Final = "blood-hpo db migrate"
_UPDATE: Final = "newer than this program's; update blood_hpo"
_LOCK_SECONDS: Final = 60.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Script:
    """An SQL file of the schema.

    Attributes:
        number: Of a migration, from 1; of other files 0.
        name: Name of the file.
        sql: Its text.
    """

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True)
class State:
    """What a database has been brought to.

    Attributes:
        applied: Digests of the applied migrations by number; None where no schema is.
        views: Version and digest of the views; None where there are none.
    """

    applied: dict[int, str] | None
    views: tuple[int, str] | None

    @property
    def current(self) -> bool:
        """Whether it is exactly this program's."""
        wanted = {one.number: one.digest for one in migrations()}
        return self.applied == wanted and self.views == (VIEWS_VERSION, views_digest())


def migrate(url: str) -> list[str]:
    """Bring the database to this program's schema; done again, it restores views and rights.

    Args:
        url: The address of the database, of a user who may create tables and, for the roles to be
            made, create roles.

    Returns:
        What was done, in order, a line each.

    Raises:
        DatabaseError: The database cannot be reached, was written by newer software, this user may
            not change it, or somebody holds on to a view for a minute.
    """
    import optuna.storages  # noqa: F401  it takes its time, which nobody should wait for in line
    from sqlalchemy import create_engine

    # The transaction is silent while Optuna changes its own tables, however long that takes.
    engine = create_engine(url, **engine_options("blood-hpo migrate", silence_seconds=0))
    try:
        with database_errors(url):
            return _patiently(engine, url)
    finally:
        engine.dispose()


def _patiently(engine: "Engine", url: str) -> list[str]:
    """Try until nobody holds on to a view, never holding up others for more than two seconds."""
    from sqlalchemy.exc import OperationalError

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


def _migrate(connection: "Connection", url: str) -> list[str]:
    connection.execute(statement("migrate_lock"))
    connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
    state = _state(connection)
    _refuse(state)
    return [*_optuna_tables(url), *_our_tables(connection, state), *_views_and_roles(connection)]


def ensure_schema(url: str) -> list[str]:
    """Migrate unless the database has exactly this program's schema; see :func:`migrate`.

    Raises:
        DatabaseError: As `migrate`; also where another build of this version made the views.
    """
    with connected(url, "blood-hpo migrate") as engine, engine.connect() as connection:
        state = _state(connection)
    if state.views and state.views[0] == VIEWS_VERSION and state.views[1] != views_digest():
        raise DatabaseError(f"another build of this program made the views; run: {_MIGRATE}")
    return [] if state.current else migrate(url)


def check_schema(engine: "Engine") -> None:
    """Make sure that the program can work with the schema of the database.

    Raises:
        DatabaseError: It is missing, older or newer, or the database cannot be reached.
    """
    with database_errors(engine.url), engine.connect() as connection:
        state = _state(connection)
    if state.applied is None:
        raise DatabaseError(
            f"database {engine.url.database} has not been prepared; run: {_MIGRATE}"
        )
    _refuse(state)
    if not state.current:
        raise DatabaseError(
            f"database {engine.url.database} has the schema of another version; run: {_MIGRATE}"
        )


def describe_schema(connection: "Connection") -> str:
    """The schema of the database in a few words."""
    state = _state(connection)
    if state.applied is None:
        return f"none; run: {_MIGRATE}"
    version = f"migration {max(state.applied, default=0)}"
    return version if state.current else f"{version}, of another version; run: {_MIGRATE}"


def migrations() -> list[Script]:
    """The migrations in order."""
    return [_script("migrations", name, int(name[:4])) for name in _names("migrations")]


def views() -> list[Script]:
    """The files of the views in order."""
    return [_script("views", name) for name in _names("views")]


def views_digest() -> str:
    """SHA-256 of all files of the views, and of what they mean."""
    texts = [*(one.sql for one in views()), json.dumps(words())]
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def words() -> dict[str, dict[str, str]]:
    """What tables and views are ("about") and their columns mean, and under "all" those of any."""
    return tomllib.loads(_text("views", "words.toml"))


def _script(folder: str, name: str, number: int = 0) -> Script:
    return Script(number, name, _text(folder, name))


def _text(folder: str, name: str) -> str:
    return resources.files("blood_hpo.database").joinpath(folder, name).read_text(encoding="utf-8")


def _names(folder: str) -> list[str]:
    found = resources.files("blood_hpo.database").joinpath(folder).iterdir()
    return sorted(file.name for file in found if file.name.endswith(".sql"))


def _state(connection: "Connection") -> State:
    prepared = connection.execute(statement("prepared")).one()
    if prepared.schema is None:
        return State(None, None)
    if prepared.numbered is None:
        raise DatabaseError(
            "the database was prepared by a version from before migrations; create another"
            " database, or drop schema hpo and the studies with it"
        )
    applied = {row.number: row.digest for row in connection.execute(statement("migrations"))}
    found = connection.execute(statement("view_set")).one_or_none()
    return State(applied, (found.version, found.digest) if found else None)


def _refuse(state: State) -> None:
    wanted = {one.number: one.digest for one in migrations()}
    for number, digest in (state.applied or {}).items():
        if number not in wanted:
            raise DatabaseError(f"the database has migration {number}, {_UPDATE}")
        if wanted[number] != digest:
            raise DatabaseError(
                f"migration {number} of the database is not this program's; use the build that"
                " applied it, or create another database"
            )
    if state.views and state.views[0] > VIEWS_VERSION:
        raise DatabaseError(f"the database has views of version {state.views[0]}, {_UPDATE}")


def _optuna_tables(url: str) -> Iterator[str]:
    from optuna.storages import RDBStorage
    from sqlalchemy import inspect

    with connected(url) as engine:
        if not inspect(engine).has_table("trials"):
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


def _our_tables(connection: "Connection", state: State) -> Iterator[str]:
    _run(connection, _script(".", "schema.sql"))
    for one in migrations():
        if one.number in (state.applied or {}):
            continue
        _run(connection, one)
        applied = {"number": one.number, "name": one.name, "digest": one.digest}
        connection.execute(statement("applied"), {**applied, "program": __version__})
        yield f"applied migration {one.name.removesuffix('.sql')}"


def _views_and_roles(connection: "Connection") -> Iterator[str]:
    made = "".join(one.sql for one in views())
    names = re.findall(r"^CREATE VIEW hpo\.(\w+)", made, re.MULTILINE)
    found = connection.execute(statement("view_set")).one_or_none()
    there = set(connection.scalars(statement("views_there"), {"names": names}))
    if found is None or found.digest != views_digest() or there != set(names):
        yield from _views(connection, found.names if found else [], names)
    roles = _roles(connection)
    _run(connection, _script(".", "roles.sql"))
    for role in ROLES:
        if role not in _roles(connection):
            yield f"left out role {role}, which this user may not create"
        elif role not in roles:
            yield f"created role {role}"


def _views(connection: "Connection", old: list[str], new: list[str]) -> Iterator[str]:
    """Make the views again, with the rights that others gave on them."""
    grants = connection.execute(statement("view_grants"), {"names": old}).all()
    there = connection.scalars(statement("views_there"), {"names": [*old, *new]}).all()
    if there:
        connection.exec_driver_sql(f"DROP VIEW {', '.join(f'hpo.{name}' for name in there)}")
    for one in views():
        _run(connection, one)
    said = connection.scalars(statement("comments"), {"words": json.dumps(words())})
    _run(connection, Script(0, "words.toml", ";".join(said)))
    for grant in grants:
        if grant.name in new:
            connection.exec_driver_sql(grant.statement)
    made = {"version": VIEWS_VERSION, "digest": views_digest(), "names": new}
    connection.execute(statement("views_made"), made)
    yield f"created {len(new)} views in schema hpo"


def _run(connection: "Connection", script: Script) -> None:
    connection.execution_options(no_parameters=True).exec_driver_sql(script.sql)


def _roles(connection: "Connection") -> set[str]:
    return set(connection.scalars(statement("roles"), {"roles": list(ROLES)}))
