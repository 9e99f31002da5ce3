"""Print docs/sql-reference.md: the views with their columns, and the questions that have a name.

Which columns a view has is what a fresh database says; what they mean stands in words.toml, what a
question asks in its header. `make docs` writes the page, and a test holds that it is up to date.
"""

import tempfile
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection, text

from blood_hpo.database.address import embedded_url, engine
from blood_hpo.database.migrate import migrate, words
from blood_hpo.database.statements import load_query, names
from blood_hpo.server import embedded
from blood_hpo.settings import Settings

HEAD = """# Reference of views and questions

Written by `make docs`. How to ask: [sql.md](sql.md). `\\d+ hpo.trials` in `blood-hpo db psql` says
the same of a view, with types. Scores and shares go from 0 to 1, times are in seconds, folds and
epochs count from 1.
"""
COLUMNS = text("""
    SELECT relname, attname
    FROM pg_class
    JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
    WHERE relnamespace = 'hpo'::regnamespace AND relkind = 'v'
    ORDER BY relname, attnum
""")


def reference(connection: Connection) -> str:
    """The whole page, for the views of this database."""
    found = connection.execute(COLUMNS).all()
    views = {
        name: [column for _, column in rows]
        for name, rows in groupby(found, key=lambda row: row[0])
    }
    return "\n".join([HEAD, *_views(views), *_shared(views), *_questions()]) + "\n"


def _views(views: Mapping[str, list[str]]) -> Iterator[str]:
    yield "## Views"
    for name, columns in views.items():
        own = words()[name]
        yield f"\n### `hpo.{name}`\n\n{own['about']}\n"
        shared = ", ".join(f"`{column}`" for column in columns if column not in own)
        yield f"{shared}\n"
        yield from (f"- `{column}`: {own[column]}" for column in columns if column in own)


def _shared(views: Mapping[str, list[str]]) -> Iterator[str]:
    yield "\n## Columns that mean the same wherever they are not described\n"
    there = {
        column
        for name, columns in views.items()
        for column in columns
        if column not in words()[name]
    }
    yield from (f"- `{column}`: {words()['all'][column]}" for column in sorted(there))


def _questions() -> Iterator[str]:
    yield "\n## Questions\n\nOf `blood-hpo query`, with their parameters.\n"
    for one in map(load_query, names()):
        parameters = " ".join(f"`{name}`" for name in one.parameters)
        said = f"{one.title}. {one.description}".strip()
        yield f"- `{one.name}` {parameters}".rstrip() + f": {said}"


def main() -> None:
    """Describe a database that has the whole schema and no study."""
    with tempfile.TemporaryDirectory(prefix="blood-hpo-docs-") as folder:
        home = Path(folder)
        url = embedded_url(Settings(home=home))
        migrate(url)
        with engine(url, "docs").connect() as connection:
            print(reference(connection), end="")
        embedded.release(home)


if __name__ == "__main__":
    main()
