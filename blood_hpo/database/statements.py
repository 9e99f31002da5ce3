"""The program's own SQL: named statements, a file a subject under ``sql/``.

A statement begins with ``-- name: its_name``; the comment lines after it say what it does.
"""

import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import TextClause


@cache
def statement(name: str) -> "TextClause":
    """The statement of that name, with bound parameters.

    Raises:
        KeyError: There is none.
    """
    from sqlalchemy import text

    return text(_statements()[name])


@cache
def _statements() -> dict[str, str]:
    folder = resources.files("blood_hpo.database") / "sql"
    files = [file.read_text(encoding="utf-8") for file in folder.iterdir()]
    named = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
    parts = [part for file in files for part in named.split(file)[1:]]
    return dict(zip(parts[::2], parts[1::2], strict=True))
