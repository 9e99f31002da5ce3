"""All SQL of the program, by name: a file a subject under ``sql/``.

A statement begins with ``-- its_name: what it does``; comment lines after it go on with that. In
``questions.sql`` the first line is the title of a question that people ask by name and the lines
after it describe the answer. Parameters are always bound, never put into the text.
"""

import difflib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from blood_hpo.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import TextClause

QUESTIONS: Final = "questions"
"""The file of what people ask. It asks the views alone, so that the analyst may ask it."""
_STATEMENT: Final = re.compile(
    r"^-- (\w+): (.*)\n((?:-- .*\n)*)((?:(?!-- \w+: ).*\n?)*)", re.MULTILINE
)
_PARAMETER: Final = re.compile(r"(?<!:):([a-z]\w*)")


@dataclass(frozen=True)
class Query:
    """A statement: its name, the file that it stands in (without ``.sql``), and what it does.

    The title is a line, the description the rest; in the statement ``:name`` is a parameter.
    """

    name: str
    subject: str
    title: str
    description: str
    sql: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the statement."""
        return tuple(dict.fromkeys(_PARAMETER.findall(self.sql)))


@cache
def queries() -> dict[str, Query]:
    """All statements by name."""
    files = (resources.files("blood_hpo.database") / "sql").iterdir()
    found = [
        Query(name, file.name.removesuffix(".sql"), title, comment.replace("\n-- ", " ")[3:-1], sql)
        for file in files
        for name, title, comment, sql in _STATEMENT.findall(file.read_text(encoding="utf-8"))
    ]
    return {one.name: one for one in found}


def names() -> list[str]:
    """The names of the questions for people, sorted."""
    return sorted(one.name for one in queries().values() if one.subject == QUESTIONS)


def load_query(name: str) -> Query:
    """A question or another statement; where there is none, an InputError names the nearest."""
    if name not in queries():
        near = difflib.get_close_matches(name, names(), n=1, cutoff=0.0)[0]
        raise InputError(
            f"there is no query {name!r}; did you mean {near!r}? `blood-hpo query` lists all"
        )
    return queries()[name]


@cache
def statement(name: str) -> "TextClause":
    """The statement of that name, to be executed; a KeyError where there is none."""
    from sqlalchemy import text

    return text(queries()[name].sql)
