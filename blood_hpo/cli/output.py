"""How every command prints rows: a table for people, JSON or CSV for programs.

A table on a terminal has lines and fits the window; in a pipe it is plain text, one line a row,
and never cut. JSON and CSV keep values unrounded and print nothing but the data.
"""

import csv
import json
import math
import sys
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated

import typer

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
    if sys.stdout.isatty():
        _draw_table(columns, cells, numeric, title)
        return
    if title:
        typer.echo(title)
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for line in ([*columns], *cells):
        aligned = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        typer.echo("  ".join(aligned).rstrip())


def _draw_table(
    columns: Sequence[str], cells: list[list[str]], numeric: list[bool], title: str
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.ROUNDED, title=Text(title) if title else None, title_justify="left")
    # Every cell is a Text and not a str: a name such as "[x]" is no markup.
    for name, right in zip(columns, numeric, strict=True):
        table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    Console().print(table)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _table_cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < _THOUSAND else f"{value:,.0f}"
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
