"""How every command prints rows: a table for people, JSON or CSV for programs.

A table on a terminal fits the window: long names of columns are stacked, and what is too wide all
the same stands on lines of its own below its row. In a pipe it is one line a row, and never cut.
JSON and CSV keep values unrounded and print nothing but the data.
"""

import csv
import json
import math
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from blood_hpo.text import duration, printable

GAP = "  "
PLAIN_WIDTH = 1000  # columns where no window sets a limit
_NUMBER = re.compile(r"-|nan|[-+]?\d[\d,.:/e+-]*( [a-z]+)?")
_NO_BREAK, _SHORT = "\N{NO-BREAK SPACE}", 40
_THOUSAND = 1000  # from here on a table shows no decimals


OutputFormat = StrEnum("OutputFormat", ["TABLE", "JSON", "CSV"])
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
    """Print rows as a table below its title, a JSON list of objects, or CSV with a header line.

    None is ``-`` in a table, ``null`` in JSON and empty in CSV; lists and mappings stay what they
    are in JSON and become JSON in CSV.
    """
    if output is OutputFormat.TABLE:
        lines = list(table(columns, rows, window()))
        fits = len(lines) == 1 + len(rows)
        for line in [*wrapped(title, window()), *(lines if fits or len(rows) != 1 else [])]:
            typer.echo(line)
        if len(rows) == 1 and not fits:
            print_facts(dict(zip(columns, rows[0], strict=True)))
    elif output is OutputFormat.JSON:
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        typer.echo(to_json(objects, indent=2))
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_csv_cell(value) for value in row] for row in rows)


def print_records(records: Sequence[Mapping[str, Any]], columns: str, title: str) -> None:
    """Print a table of some columns for people; nothing where there is no row.

    Each column is given as NAME, or as SHOWN=NAME where people see another name.
    """
    pairs = [one.split("=") for one in columns.split()]
    spelt = [{**one, "seconds": duration(one.get("seconds"))} for one in records]
    rows = [[one[pair[-1]] for pair in pairs] for one in spelt]
    if rows:
        print_rows([pair[0] for pair in pairs], rows, OutputFormat.TABLE, title=title)


def print_facts(values: Mapping[str, object]) -> None:
    """Print names and values, a line each."""
    edge = max(map(len, values)) + len(GAP)
    for name, value in values.items():
        typer.echo("\n".join(wrapped(cell(value), window(), name.ljust(edge), " " * edge)))


def to_json(value: object, *, indent: int | None = None) -> str:
    """Valid JSON: NaN and infinities become null, unknown types their text, dates ISO 8601."""
    finite = json.loads(json.dumps(value, default=_text), parse_constant=lambda _: None)
    return json.dumps(finite, indent=indent, ensure_ascii=False)


def window() -> int:
    """Columns of the terminal that standard output is, if it is one."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else PLAIN_WIDTH


def table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], width: int, gap: str = GAP
) -> Iterator[str]:
    """The lines of a table as wide as the window, names first and numbers at the right."""
    cells = list(zip(*map(_column, zip(*rows, strict=True)), strict=True))
    stacked = _stacked(columns)
    beside = _beside(_widths(stacked, cells), width, gap)
    heads = [[*columns]] if _fits(_widths([columns], cells), width, gap) else stacked
    heads = [head for head in heads if any(head[one] for one in beside)]
    widths = _widths(heads, cells)
    right = [all(_NUMBER.fullmatch(row[one]) for row in cells) for one in range(len(columns))]

    def line(row: Sequence[str]) -> str:
        aligned = (
            row[one].rjust(widths[one]) if right[one] else row[one].ljust(widths[one])
            for one in beside
        )
        return gap.join(aligned).rstrip()

    yield from map(line, heads)
    for row in cells:
        yield line(row)
        hidden = [f"{columns[one]}: {row[one]}" for one in range(len(row)) if one not in beside]
        # Short ones are not to be parted.
        kept = [one.replace(" ", _NO_BREAK) if len(one) <= _SHORT else one for one in hidden]
        yield from wrapped(GAP.join(kept), width, " " * 4, " " * 6)


def _stacked(columns: Sequence[str]) -> list[list[str]]:
    """Names of columns, their words below each other."""
    words = [name.replace("_", " ").split() for name in columns]
    height = max(map(len, words))
    return [list(one) for one in zip(*([""] * (height - len(w)) + w for w in words), strict=True)]


def _widths(heads: Sequence[Sequence[str]], cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*heads, *cells, strict=True)]


def _fits(widths: Sequence[int], width: int, gap: str) -> bool:
    return sum(widths) + len(gap) * (len(widths) - 1) <= width


def _beside(widths: Sequence[int], width: int, gap: str) -> list[int]:
    """The columns that fit side by side: the first one, and all but the widest of the others."""
    beside, widest = list(range(len(widths))), sorted(range(1, len(widths)), key=widths.__getitem__)
    while widest and not _fits([widths[one] for one in beside], width, gap):
        beside.remove(widest.pop())
    return beside


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """A text in lines that fit, broken between words, each behind its indent."""
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_NO_BREAK, " ") for line in lines]


def _column(values: Sequence[object]) -> list[str]:
    """The cells of a column; its numbers with as many decimals as the largest leaves of four."""
    sizes = [abs(one) for one in values if isinstance(one, float) and one and math.isfinite(one)]
    largest = max(sizes, default=0.0)
    decimals = 4 if largest <= 1 else 4 - len(str(int(largest)))
    if not sizes or min(sizes) < 10**-decimals or largest >= _THOUSAND:
        return list(map(cell, values))
    return [f"{one:.{decimals}f}" if isinstance(one, float) else cell(one) for one in values]


def cell(value: object) -> str:
    """A value for people: short, on one line."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < _THOUSAND else f"{value:,.0f}"
    if isinstance(value, datetime):
        local, today = value.astimezone(), datetime.now(UTC).astimezone()
        return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d}"
    if isinstance(value, Mapping) and not any(isinstance(x, dict | list) for x in value.values()):
        return " ".join(f"{printable(str(name))}={cell(one)}" for name, one in value.items())
    return printable(" ".join(_csv_cell(value).splitlines()))


def _csv_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list | tuple):
        return to_json(value)
    return _text(value)


def _text(value: object) -> str:
    if isinstance(value, memoryview):
        return f"\\x{value.hex()}"
    return value.isoformat() if isinstance(value, date) else str(value)
