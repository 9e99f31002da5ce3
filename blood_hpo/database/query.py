"""Answers to questions that have a name."""

import difflib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from blood_hpo.database.failures import database_errors
from blood_hpo.database.statements import load_query, statement
from blood_hpo.errors import StudyError
from blood_hpo.text import cleaned

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True)
class Result:
    """An answer: the names of the columns and the rows in their order."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]

    def plain(self) -> "Result":
        """The answer with the exact numbers of SQL as ordinary ones, which programs can read."""
        return Result(self.columns, [tuple(map(_plain, row)) for row in self.rows])

    def records(self) -> list[dict[str, Any]]:
        """The rows by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def _plain(value: object) -> object:
    if not isinstance(value, Decimal):
        return value
    whole = value.is_finite() and value == value.to_integral_value()
    return int(value) if whole else float(value)


def run_query(engine: "Engine", name: str, **parameters: object) -> Result:
    """Ask a question by its name; texts in the answer are printable, whoever stored them.

    Raises:
        InputError: There is no such question.
        DatabaseError: The database cannot be reached or refuses.
    """
    load_query(name)  # which must exist
    with database_errors(engine.url), engine.connect() as connection:
        found = connection.execute(statement(name), parameters)
        return Result(tuple(found.keys()), [tuple(map(cleaned, row)) for row in found])


def unknown_study(engine: "Engine", name: str) -> StudyError:
    """What to say where there is no study of a name, with the nearest one."""
    known = [str(row[0]) for row in run_query(engine, "studies").rows]
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]!r}? " if near else ""
    return StudyError(
        f"there is no study {name!r}; {advice}`blood-hpo study list` shows those that exist"
    )
