"""The service's SQL statements, each in a file of its own under ``sql/``."""

from functools import cache
from importlib import resources

from sqlalchemy import TextClause, text


@cache
def statement(name: str) -> TextClause:
    """The statement in ``sql/<name>.sql``, with bound parameters."""
    path = resources.files("blood_hpo.service").joinpath("sql", f"{name}.sql")
    return text(path.read_text(encoding="utf-8"))
