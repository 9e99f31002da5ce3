"""What a database has been brought to, and whether this program can work with it."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine

from blood_hpo.database.scripts import migrations, views_digest
from blood_hpo.database.statements import statement
from blood_hpo.errors import DatabaseError

VIEWS_VERSION: Final = 10
"""Raised with every change of a view, so that an older program never puts older views in place."""
MIGRATE: Final = "blood-hpo db migrate"
_UPDATE: Final = "newer than this program's; update blood_hpo"


@dataclass(frozen=True)
class State:
    """The digests of the applied migrations by number, and version and digest of the views.

    Either is None where there is none.
    """

    applied: dict[int, str] | None
    views: tuple[int, str] | None

    @property
    def current(self) -> bool:
        """Whether it is exactly this program's."""
        return self.applied == _wanted() and self.views == (VIEWS_VERSION, views_digest())

    def refuse_other(self) -> None:
        """Raise a DatabaseError where anything in it is newer, or of another build."""
        wanted = _wanted()
        for number, digest in (self.applied or {}).items():
            if number not in wanted:
                raise DatabaseError(f"the database has migration {number}, {_UPDATE}")
            if wanted[number] != digest:
                raise DatabaseError(
                    f"migration {number} of the database is not this program's; use the build that"
                    " applied it, or create another database"
                )
        if self.views and self.views[0] > VIEWS_VERSION:
            raise DatabaseError(f"the database has views of version {self.views[0]}, {_UPDATE}")


def _wanted() -> dict[int, str]:
    return {one.number: one.digest for one in migrations()}


def read_state(connection: Connection) -> State:
    """What the database has been brought to; one from before migrations is a DatabaseError."""
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


def check_schema(engine: Engine) -> None:
    """Raise a DatabaseError unless the database has this program's schema."""
    with engine.connect() as connection:
        state = read_state(connection)
    state.refuse_other()
    if not state.current:
        missing = state.applied is None
        said = "has not been prepared" if missing else "has the schema of another version"
        raise DatabaseError(f"database {engine.url.database} {said}; run: {MIGRATE}")


def describe_schema(connection: Connection) -> str:
    """The schema of the database in a few words."""
    state = read_state(connection)
    if state.applied is None:
        return f"none; run: {MIGRATE}"
    version = f"migration {max(state.applied, default=0)}"
    try:
        state.refuse_other()
    except DatabaseError as error:
        return str(error)
    return version if state.current else f"{version}, of another version; run: {MIGRATE}"
