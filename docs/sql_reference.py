"""Print docs/sql-reference.md: the views with their columns, and the questions that have a name.

Which columns a view has is what a fresh database says; what they mean stands in words.toml, in the
reference of study files, or in their names; what a question asks in its header. `make docs` writes
the page, and a test holds that it is up to date.
"""

import tempfile
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection, text

from blood_hpo.database.address import embedded_url, engine
from blood_hpo.database.migrate import migrate
from blood_hpo.database.scripts import words
from blood_hpo.database.statements import load_query, names
from blood_hpo.models.registry import FAMILIES
from blood_hpo.server import embedded
from blood_hpo.settings import Settings

HEAD = """# Reference of views and questions

Written by `make docs`. How to ask: [sql.md](sql.md). `\\d+ hpo.trials` in `blood-hpo db psql` adds
types. Scores and shares go from 0 to 1, times are in seconds, folds and epochs count from 1.

## Views

Of each: what a row is, its columns, and what those mean that are neither plain nor
[shared](#shared-columns) nor
[hyperparameters](study-file-reference.md#hyperparameters-of-every-family). Every view has `study`.
"""
HYPERPARAMETERS = {name for one in FAMILIES.values() for name in one.hyperparameters.model_fields}
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
    return "\n".join([HEAD, *_views(views), *_shared(views), *_questions()])


def _views(views: Mapping[str, list[str]]) -> Iterator[str]:
    for name, columns in views.items():
        own = {column: words()[name][column] for column in columns if column in words()[name]}
        yield f"### `hpo.{name}`\n\n{words()[name]['about']}\n"
        listed = ", ".join(f"`{column}`" for column in columns if column not in {*own, "study"})
        yield from [listed] if listed else []
        yield from _table("Column", own)


def _shared(views: Mapping[str, list[str]]) -> Iterator[str]:
    there = {column for columns in views.values() for column in columns} - HYPERPARAMETERS
    shared = words()["all"]
    yield "## Shared columns"
    yield from _table("Column", {name: shared[name] for name in sorted(there & shared.keys())})


def _questions() -> Iterator[str]:
    asked = [one for one in map(load_query, names()) if one.description]
    yield "## Questions\n\n`blood-hpo query` lists all, with their parameters. More about some:"
    yield from _table("Question", {one.name: f"{one.title}. {one.description}" for one in asked})


def _table(heading: str, meanings: Mapping[str, str]) -> Iterator[str]:
    yield ""
    if meanings:
        yield f"|{heading}|Meaning|\n|---|---|"
        yield from (f"|`{name}`|{meaning}|" for name, meaning in meanings.items())
        yield ""


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
