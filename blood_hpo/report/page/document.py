"""What a report is made of: sections of texts, figures and tables, free of any markup."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from blood_hpo.report.page.cells import Cell

Cells = Mapping[str, Cell]
"""A row of a table: its cells by their columns. The first one is the heading of the row."""


@dataclass(frozen=True)
class Table:
    """A table with a caption.

    Attributes:
        name: File name without extension, unique in the report.
        groups: Rows, all of the same columns, by their common heading, empty where there is none.
        note: A remark below it.
        folded: Whether it is detail that a reader opens when it is wanted.
    """

    name: str
    caption: str
    groups: Mapping[str, Sequence[Cells]]
    note: str = ""
    folded: bool = False

    @property
    def rows(self) -> list[Cells]:
        """The rows of all groups."""
        return [row for rows in self.groups.values() for row in rows]

    @property
    def shown(self) -> list[str]:
        """The columns that have something to show."""
        rows = self.rows
        columns = next(iter(rows), ())
        return [one for one in columns if any(row[one].value not in (None, "") for row in rows)]

    def numeric(self, column: str) -> bool:
        """Whether a column holds numbers and dashes only."""
        values = [row[column].value for row in self.rows]
        return not any(isinstance(one, bool | Sequence | Mapping) for one in values)

    def csv(self) -> str:
        """Comma-separated values: unrounded, a header line, the group first where there are any."""
        text, records = io.StringIO(), self.records()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(next(iter(records), ()))
        writer.writerows([_csv(value) for value in record.values()] for record in records)
        return text.getvalue()

    def records(self) -> list[dict[str, Any]]:
        """The rows as mappings from column to value, the group first where there are any."""
        return [
            ({"group": title} if title else {}) | {name: one.value for name, one in row.items()}
            for title, rows in self.groups.items()
            for row in rows
        ]


class Figure(NamedTuple):
    """A drawing.

    Attributes:
        name: File name without extension, unique in the report.
        svg: One SVG element that follows the reader's light or dark colours, and says in words what
            it shows.
        wide: Whether it takes the whole width of the page.
    """

    name: str
    svg: str
    caption: str
    wide: bool = False


class Row(NamedTuple):
    """Drawings and tables beside each other, as far as the page is wide enough.

    Where they are detail that a reader opens when it is wanted, `folded` says what they show.
    """

    parts: Sequence[Figure | Table]
    folded: str = ""


class Heading(NamedTuple):
    """A heading within a section."""

    text: str


class Command(NamedTuple):
    """Something to run, with what it gives."""

    command: str
    text: str


class Missing(NamedTuple):
    """What cannot be shown yet, why, and the command after which it can."""

    text: str
    command: str


class Card(NamedTuple):
    """One number that a reader should not miss, what it is, and what one must know with it."""

    family: str
    label: str
    value: str
    detail: str


Block = list[Card] | str | Heading | Figure | Row | Table | Command | Missing
"""A part of a section; a string is a paragraph."""


@dataclass(frozen=True)
class Section:
    """A part of the report; it is left out where it shows nothing.

    Attributes:
        key: Identifier, unique in the report.
        facts: The numbers behind it that stand in no table, for ``report.json``.
    """

    key: str
    blocks: Sequence[Block] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> list[Block]:
        """Its blocks, and what stands in its rows, in their order."""
        rows = [one.parts if isinstance(one, Row) else (one,) for one in self.blocks]
        return [part for row in rows for part in row]

    @property
    def figures(self) -> list[Figure]:
        """All its drawings, in their order."""
        return [one for one in self.parts if isinstance(one, Figure)]

    @property
    def tables(self) -> list[Table]:
        """All its tables, in their order."""
        return [one for one in self.parts if isinstance(one, Table)]


def _csv(value: object) -> object:
    container = isinstance(value, list | tuple | dict)
    return json.dumps(value, ensure_ascii=False) if container else value
