"""Print docs/sql-reference.md: the views with their columns, and the questions that have a name.

What a view and a column mean is what a fresh database says of them (COMMENT); what a question asks
is the header of its file. `make docs` writes the page, and a test holds that it is up to date.
"""

import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection, Row, text

from blood_hpo.database.address import embedded_url, engine
from blood_hpo.database.migrate import migrate
from blood_hpo.database.query import load_query, names
from blood_hpo.server import embedded
from blood_hpo.settings import Settings

HEAD = """# Reference of views and questions

Written by `make docs` from the database's own comments and the headers of the questions.
How to ask: [sql.md](sql.md).
"""
DESCRIBED = text("""
    SELECT relname AS view, obj_description(pg_class.oid) AS says, attname AS column,
        format_type(atttypid, NULL) AS type, col_description(pg_class.oid, attnum) AS meaning
    FROM pg_class
    JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
    WHERE relnamespace = 'hpo'::regnamespace AND relkind = 'v'
    ORDER BY relname, attnum
""")


def reference(connection: Connection) -> str:
    """The whole page, as this database describes its views."""
    described = connection.execute(DESCRIBED).all()
    views = groupby(described, key=lambda row: (row.view, row.says))
    pages = (_view(view, says, columns) for (view, says), columns in views)
    return "\n".join([HEAD, "## Views", *pages, *_questions()]) + "\n"


def _view(name: str, says: str, columns: Iterator[Row[tuple[str, ...]]]) -> str:
    rows = (f"| `{one.column}` | {one.type} | {_cell(one.meaning)} |" for one in columns)
    head = ["| Column | Type | Meaning |", "|---|---|---|"]
    return "\n".join([f"\n### `hpo.{name}`\n", says, "", *head, *rows])


def _questions() -> Iterator[str]:
    yield "\n## Questions\n"
    yield "| `blood-hpo query` | Parameters | What it asks |"
    yield "|---|---|---|"
    for one in map(load_query, names()):
        parameters = ", ".join(f"`{name}`" for name in one.parameters)
        yield f"| `{one.name}` | {parameters} | {_cell(f'{one.title}. {one.description}')} |"


def _cell(meaning: str | None) -> str:
    return (meaning or "").replace("|", "\\|")


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
