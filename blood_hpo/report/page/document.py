"""What a report is made of: sections of texts, figures and tables, free of any markup."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from blood_hpo.report.page.cells import Cell


@dataclass(frozen=True)
class Group:
    """Rows under one heading, which is empty where a table has only one group."""

    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a caption.

    Attributes:
        name: File name without extension, unique in the report.
        caption: What it shows.
        columns: Headings.
        groups: The rows; the first cell of a row is its heading.
        note: A remark below it.
        folded: Whether it is detail that a reader opens when it is wanted.
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    note: str = ""
    folded: bool = False

    @property
    def shown(self) -> list[int]:
        """Places of the columns that have something to show."""
        rows = [row for group in self.groups for row in group.rows]
        return [one for one in range(len(self.columns)) if any(row[one].shown for row in rows)]

    def numeric(self, place: int) -> bool:
        """Whether a column holds numbers and dashes only."""
        cells = [row[place] for group in self.groups for row in group.rows]
        return all(one.numeric or one.value is None for one in cells)

    def csv(self) -> str:
        """Comma-separated values: unrounded, a header line, the group first where there are any."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        titled = any(group.title for group in self.groups)
        writer.writerow([*(["group"] if titled else []), *self.columns])
        for group in self.groups:
            for row in group.rows:
                own = [group.title] if titled else []
                writer.writerow([*own, *(_csv(cell.value) for cell in row)])
        return text.getvalue()

    def records(self) -> list[dict[str, Any]]:
        """The rows as mappings from column to value."""
        return [
            {
                **({"group": group.title} if group.title else {}),
                **{name: cell.value for name, cell in zip(self.columns, row, strict=True)},
            }
            for group in self.groups
            for row in group.rows
        ]


@dataclass(frozen=True)
class Figure:
    """A drawing.

    Attributes:
        name: File name without extension, unique in the report.
        svg: One SVG element that follows the reader's light or dark colours.
        alt: What it shows, for those who cannot see it.
        caption: What to see in it.
        wide: Whether it takes the whole width of the page.
    """

    name: str
    svg: str
    alt: str
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Row:
    """Drawings and tables beside each other, as far as the page is wide enough.

    Attributes:
        parts: The drawings and tables.
        folded: What they show, where they are detail that a reader opens when it is wanted.
    """

    parts: tuple[Figure | Table, ...]
    folded: str = ""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Command:
    """Something to run, with what it gives."""

    command: str
    text: str = ""


@dataclass(frozen=True)
class Missing:
    """What cannot be shown yet, why, and the command after which it can."""

    text: str
    command: str = ""


@dataclass(frozen=True)
class Card:
    """One number that a reader should not miss.

    Attributes:
        family: The model family that it is about.
        label: What it is.
        value: The number, as people read it.
        detail: What one must know with it.
    """

    family: str
    label: str
    value: str
    detail: str


@dataclass(frozen=True)
class Cards:
    """The numbers that a reader should not miss."""

    cards: tuple[Card, ...]


Block = Cards | Text | Heading | Figure | Row | Table | Command | Missing


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        key: Identifier, unique in the report.
        title: Heading.
        blocks: What it shows, in order.
        facts: The numbers behind it that stand in no table, for ``report.json``.
    """

    key: str
    title: str
    blocks: tuple[Block, ...]
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


def one_group(rows: Sequence[Sequence[Cell]]) -> tuple[Group, ...]:
    """Rows without a heading."""
    return (Group(tuple(tuple(row) for row in rows)),)


def _csv(value: object) -> object:
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else value
