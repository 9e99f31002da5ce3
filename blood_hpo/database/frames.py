r"""One study as pandas frames: the views of schema ``hpo``, for notebooks.

    >>> import blood_hpo
    >>> study = blood_hpo.open_study("paper")  # doctest: +SKIP
    >>> study.leaderboard(top=3)  # doctest: +SKIP

Nothing here can change a study: every session is read-only. A frame has the columns of its view,
which ``\d+ hpo.trials`` in psql describes, units included; lists and objects stay what they are.
"""

import difflib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from pandas import DataFrame
from sqlalchemy import Engine, text

from blood_hpo.database.address import connected, database_url
from blood_hpo.database.analyst import analyst_url, ask
from blood_hpo.database.artefacts import listing, load
from blood_hpo.database.query import unknown_study
from blood_hpo.database.schema_version import check_schema
from blood_hpo.database.scripts import words
from blood_hpo.errors import InputError
from blood_hpo.settings import Settings, settings

_INTEGERS: Final = (20, 21, 23)
"""PostgreSQL's numbers of its types bigint, smallint and integer."""


@dataclass(frozen=True)
class Study:
    """A study to look at, by its name, and where the database is."""

    name: str
    settings: Settings = field(repr=False)

    def trials(self) -> DataFrame:
        """One row a trial: state, score, cost, many hyperparameters as columns; by number."""
        return self.frame("trials")

    def leaderboard(self, top: int | None = None) -> DataFrame:
        """Complete trials of each family, best first, at most ``top`` of each."""
        found = self.frame("leaderboard")
        return found if top is None else found[found["rank"] <= top].reset_index(drop=True)

    def frame(self, view: str, number: int | None = None) -> DataFrame:
        """What a view of schema ``hpo`` says of this study, or of one trial by its number.

        Integers may be missing (Int64).

        Raises:
            InputError: There is no such view, or it has no column ``number``.
            DatabaseError: The database cannot be reached.
        """
        orders = {name: said["order"] for name, said in words().items() if "order" in said}
        if view not in orders:
            near = difflib.get_close_matches(view, orders, n=1, cutoff=0.0)[0]
            raise InputError(f"there is no view {view!r}; did you mean {near!r}?")
        if number is not None and not orders[view].startswith("number"):
            raise InputError(f"view {view!r} has no rows of trials of the search; leave number out")
        wanted = {"study": self.name} if number is None else {"study": self.name, "number": number}
        which = " AND ".join(f"{name} = :{name}" for name in wanted)
        # Names of views and columns are this module's own.
        asked = f"SELECT * FROM hpo.{view} WHERE {which} ORDER BY {orders[view]}"  # noqa: S608
        return _frame(self.settings, asked, wanted)

    def sql(self, statement: str, **parameters: object) -> DataFrame:
        """The rows of a statement of your own, as ``blood-hpo query --sql`` runs it.

        Args:
            statement: One that reads, about any study.
            parameters: A value for each ``:name`` in it.

        Raises:
            InputError: The statement is wrong, is more than one, or would change something; or a
                parameter is missing or unknown.
            DatabaseError: The database refuses, or 30 seconds are over.
        """
        found = ask(analyst_url(self.settings), statement, parameters).plain()
        return DataFrame(found.rows, columns=list(found.columns))

    def files(self) -> DataFrame:
        """The files that trials left, models among them: name, sha256, size in bytes."""
        with _engine(self.settings) as engine:
            found = [tuple(one) for one in listing(engine, self.name)]
        return DataFrame(found, columns=["name", "sha256", "size"])

    def file(self, name: str) -> bytes:
        """The content of a file of `files`, after its checksum.

        Raises:
            StudyError: There is no such file, or its content has been changed.
            DatabaseError: The database cannot be reached.
        """
        with _engine(self.settings) as engine:
            return load(engine, self.name, name)


def _frame(settings: Settings, statement: str, parameters: Mapping[str, object]) -> DataFrame:
    with _engine(settings) as engine, engine.connect() as connection:
        found = connection.execute(text(statement), parameters)
        assert found.cursor is not None
        kinds = {column[0]: column[1] for column in found.cursor.description}
        frame = DataFrame([tuple(row) for row in found], columns=list(kinds))
    # pandas makes floats of integers of which one is missing.
    return frame.astype({name: "Int64" for name, kind in kinds.items() if kind in _INTEGERS})


def list_studies() -> DataFrame:
    """One row a study, stages included: what it searches, on which data, how far it is.

    Raises:
        DatabaseError: The database cannot be reached, or its schema is another version's.
    """
    return _frame(_checked(), "SELECT * FROM hpo.studies ORDER BY study", {})


def open_study(name: str) -> Study:
    """Open a study to look at it; the database is found as the commands find it.

    Raises:
        StudyError: There is no study of that name.
        DatabaseError: The database cannot be reached, or its schema is another version's.
    """
    found = Study(name, _checked())
    if found.frame("studies").empty:
        with _engine(found.settings) as engine:
            raise unknown_study(engine, name)
    return found


def _checked() -> Settings:
    """Where the database is, whose schema must be this program's."""
    with _engine(settings()) as engine:
        check_schema(engine)
    return settings()


def _engine(settings: Settings) -> AbstractContextManager[Engine]:
    """Read-only connections; their errors are one line each."""
    return connected(database_url(settings), "blood-hpo notebook", read_only=True)
