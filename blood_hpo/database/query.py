"""Questions by name: each is an SQL file with a title, a description and named parameters.

The first comment line of a file is the title, the comment lines after it are the description.
Parameters are always bound, never put into the text.
"""

import difflib
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from blood_hpo.database.failures import database_errors
from blood_hpo.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Engine


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


def names() -> list[str]:
    """The names of all questions, sorted."""
    folder = resources.files("blood_hpo.database") / "queries"
    return sorted(file.name.removesuffix(".sql") for file in folder.iterdir())


def load_query(name: str) -> Query:
    """Read a question.

    Raises:
        InputError: There is none of that name; the message gives the nearest.
    """
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
        raise InputError(f"there is no query {name!r}; did you mean {near!r}?")
    path = resources.files("blood_hpo.database") / "queries" / f"{name}.sql"
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    sql = "\n".join(line for line in lines if not line.startswith("-- "))
    parameters = tuple(dict.fromkeys(re.findall(r"(?<!:):([a-z]\w*)", sql)))
    return Query(name, comments[0], " ".join(comments[1:]), sql, parameters)


def run_query(engine: "Engine", name: str, **parameters: object) -> Result:
    """Ask a question.

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
        return Result(tuple(found.keys()), [tuple(row) for row in found])
