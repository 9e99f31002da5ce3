"""How every command prints rows: a table for people, JSON or CSV for programs.

A table on a terminal fits the window: what is too wide stands on lines of its own below its row.
In a pipe it is one line a row, and never cut. JSON and CSV keep values unrounded and print nothing
but the data.
"""

import csv
import json
import math
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import typer

GAP = "  "
_THOUSAND = 1000  # from here on a table shows no decimals


class OutputFormat(StrEnum):
    """What ``--format`` takes."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


FormatOption = Annotated[
    OutputFormat, typer.Option("--format", help="A table to read, or JSON or CSV for a program.")
]


def print_rows(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    output: OutputFormat,
    *,
    title: str = "",
) -> None:
    """Print rows to standard output.

    Args:
        columns: One name a column; the keys of the JSON objects.
        rows: Values in the order of the columns. None is ``-`` in a table, ``null`` in JSON and
            empty in CSV; lists and mappings stay what they are in JSON and become JSON in CSV.
        output: Table, a JSON list of objects, or CSV with a header line.
        title: A line above the table; programs do not get it.
    """
    if output is OutputFormat.TABLE:
        _print_table(columns, rows, title)
    elif output is OutputFormat.JSON:
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        typer.echo(to_json(objects, indent=2))
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_csv_cell(value) for value in row] for row in rows)


def to_json(value: object, *, indent: int | None = None) -> str:
    """Valid JSON: NaN and infinities become null, unknown types their text, dates ISO 8601."""
    return json.dumps(_finite(value), indent=indent, ensure_ascii=False, default=_text)


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str) -> None:
    cells = [[_table_cell(value) for value in row] for row in rows]
    numeric = [all(_is_number(row[number]) for row in rows) for number in range(len(columns))]
    if title:
        typer.echo(title)
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    window = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    below = _below(widths, window)
    for place, line in enumerate([[*columns], *cells]):
        aligned = [
            cell.rjust(width) if right else cell.ljust(width)
            for number, (cell, width, right) in enumerate(zip(line, widths, numeric, strict=True))
            if number not in below
        ]
        typer.echo(GAP.join(aligned).rstrip())
        for number in below if place else []:
            typer.echo(_wrapped(f"{columns[number]}: {line[number]}", window))


def _below(widths: Sequence[int], window: int) -> list[int]:
    """The columns, but for the first, that do not fit side by side: the widest ones."""
    beside, widest = set(range(len(widths))), sorted(range(1, len(widths)), key=widths.__getitem__)
    while widest and sum(widths[one] + len(GAP) for one in beside) - len(GAP) > window:
        beside.remove(widest.pop())
    return [one for one in range(len(widths)) if one not in beside]


def _wrapped(text: str, window: int) -> str:
    """A line below a row, broken between words."""
    return textwrap.fill(
        text,
        window,
        initial_indent="    ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _is_nested(value: object) -> bool:
    return isinstance(value, dict | list)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _table_cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < _THOUSAND else f"{value:,.0f}"
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M}"
    if isinstance(value, Mapping) and not any(map(_is_nested, value.values())):
        return " ".join(f"{name}={_table_cell(one)}" for name, one in value.items())
    return " ".join(_csv_cell(value).splitlines())


def _csv_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list | tuple):
        return to_json(value)
    return _text(value)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
