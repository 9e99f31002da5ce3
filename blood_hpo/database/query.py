"""Questions by name: each is an SQL file with a title, a description and named parameters.

The first comment line of a file is the title, the comment lines after it are the description.
Parameters are always bound, never put into the text. Questions for people ask the views alone, so
that the analyst may ask them; those in ``queries/internal`` are the program's own.
"""

import difflib
import re
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from blood_hpo.database.failures import database_errors
from blood_hpo.errors import InputError, StudyError
from blood_hpo.text import cleaned

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from sqlalchemy import Engine

PUBLIC: Final = "queries"
INTERNAL: Final = "queries/internal"


@dataclass(frozen=True)
class Query:
    """A question to the database.

    Attributes:
        name: Name of the file without ``.sql``.
        title: What is asked, in a few words.
        description: What the answer holds, with units.
        sql: The statement, with ``:name`` for each parameter.
        parameters: Names of the parameters, in the order of the statement.
    """

    name: str
    title: str
    description: str
    sql: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """An answer: the names of the columns and the rows in their order."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]

    def plain(self) -> "Result":
        """The answer with the exact numbers of SQL as ordinary ones, which programs can read."""
        return Result(self.columns, [tuple(map(_plain, row)) for row in self.rows])

    def records(self) -> "list[dict[str, Any]]":
        """The rows by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def _plain(value: object) -> object:
    if not isinstance(value, Decimal):
        return value
    whole = value.is_finite() and value == value.to_integral_value()
    return int(value) if whole else float(value)


def names() -> list[str]:
    """The names of the questions for people, sorted."""
    return sorted(_files(PUBLIC))


def internal_names() -> list[str]:
    """The names of the program's own questions, sorted."""
    return sorted(_files(INTERNAL))


def load_query(name: str) -> Query:
    """Read a question.

    Raises:
        InputError: There is none of that name; the message gives the nearest.
    """
    known = _files(INTERNAL) | _files(PUBLIC)
    if name not in known:
        near = difflib.get_close_matches(name, names(), n=1, cutoff=0.0)[0]
        raise InputError(
            f"there is no query {name!r}; did you mean {near!r}? `blood-hpo query` lists all"
        )
    path = known[name]
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    sql = "\n".join(line for line in lines if not line.startswith("-- "))
    parameters = tuple(dict.fromkeys(re.findall(r"(?<!:):([a-z]\w*)", sql)))
    return Query(name, comments[0], " ".join(comments[1:]), sql, parameters)


def _files(folder: str) -> "dict[str, Traversable]":
    found = (resources.files("blood_hpo.database") / folder).iterdir()
    return {file.name.removesuffix(".sql"): file for file in found if file.name.endswith(".sql")}


def run_query(engine: "Engine", name: str, **parameters: object) -> Result:
    """Ask a question; texts in the answer are printable, whoever stored them.

    Args:
        engine: The database.
        name: Name of the question.
        parameters: A value for each of its parameters.

    Raises:
        InputError: There is no such question, or a parameter is missing or unknown.
        DatabaseError: The database cannot be reached or refuses.
    """
    from sqlalchemy import text

    query = load_query(name)
    if set(parameters) != set(query.parameters):
        wanted = ", ".join(query.parameters) or "no parameters"
        given = ", ".join(parameters) or "nothing"
        raise InputError(f"query {name!r} takes {wanted}, but was given {given}")
    with database_errors(engine.url), engine.connect() as connection:
        found = connection.execute(text(query.sql), parameters)
        return Result(tuple(found.keys()), [tuple(map(cleaned, row)) for row in found])


def unknown_study(engine: "Engine", name: str) -> StudyError:
    """What to say where there is no study of a name, with the nearest one."""
    known = [str(row[0]) for row in run_query(engine, "studies").rows]
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]!r}? " if near else ""
    return StudyError(
        f"there is no study {name!r}; {advice}`blood-hpo study list` shows those that exist"
    )
