"""Rows as a table, JSON and CSV: nothing cut, nothing invalid, nothing read as markup."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blood_hpo.cli.output import OutputFormat, print_rows, table, to_json

COLUMNS = ["name", "score", "done", "config", "when"]
ROWS: list[list[object]] = [
    [
        "[red]x[/red] " + "long " * 60,
        0.876543,
        True,
        {"units": 64},
        datetime(2024, 5, 1, tzinfo=UTC),
    ],
    ["b", float("nan"), False, [1, None], None],
]


def printed(capsys: pytest.CaptureFixture[str], output: OutputFormat) -> str:
    print_rows(COLUMNS, ROWS, output, title="A title")
    return capsys.readouterr().out


def test_a_piped_table_is_one_uncut_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    local = f"{datetime(2024, 5, 1, tzinfo=UTC).astimezone():%Y-%m-%d}"
    title, header, first, second = printed(capsys, OutputFormat.TABLE).splitlines()
    assert title == "A title"
    assert header.split() == COLUMNS
    assert first.startswith("[red]x[/red] " + "long " * 60)
    assert first.endswith("0.8765  yes   units=64   " + local)
    assert second.split() == ["b", "nan", "no", "[1,", "null]", "-"]


def test_json_is_valid_and_unrounded(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = json.loads(printed(capsys, OutputFormat.JSON))
    assert list(first) == COLUMNS
    assert (first["score"], first["done"], first["config"]) == (0.876543, True, {"units": 64})
    assert (second["score"], second["config"], second["when"]) == (None, [1, None], None)


def test_csv_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    header, first, second = csv.reader(io.StringIO(printed(capsys, OutputFormat.CSV)))
    assert header == COLUMNS
    assert first[1:4] == ["0.876543", "True", '{"units": 64}']
    assert second[-1] == ""


@pytest.mark.parametrize("output", list(OutputFormat))
def test_no_rows(capsys: pytest.CaptureFixture[str], output: OutputFormat) -> None:
    print_rows(["a", "b"], [], output)
    assert capsys.readouterr().out == {"table": "a  b\n", "json": "[]\n", "csv": "a,b\n"}[output]


def test_json_has_no_nan_at_any_depth() -> None:
    assert to_json({"a": [float("inf"), {"b": float("nan")}]}) == '{"a": [null, {"b": null}]}'


@given(
    st.lists(st.lists(st.text("ab_ ", max_size=30), min_size=3, max_size=3), max_size=4),
    st.integers(40, 120),
)
def test_a_table_fits_and_holds_every_word_whole(rows: list[list[str]], width: int) -> None:
    columns = ["first", "a_long_name", "c"]
    rows = [[" ".join(one.split()) for one in row] for row in rows]
    lines = list(table(columns, rows, width))
    assert max(map(len, lines)) <= width
    words = {word for row in rows for one in row for word in one.split()}
    assert words <= set(" ".join(lines).split())


def test_long_names_of_columns_are_stacked_where_they_do_not_fit() -> None:
    columns = ["family", "seconds_per_epoch"]
    rows: list[list[object]] = [["mlp", 0.25], ["cnn", None]]
    assert next(table(columns, rows, 40)) == "family  seconds_per_epoch"
    head = list(table(columns, rows, 20))
    assert [line.split() for line in head[:3]] == [["seconds"], ["per"], ["family", "epoch"]]
    assert [line.split() for line in head[3:]] == [["mlp", "0.2500"], ["cnn", "-"]]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.5, 1.0], ["0.5000", "1.0000"]),
        ([39.99, 7.9971], ["39.99", "8.00"]),
        ([0.00001, 0.5], ["1e-05", "0.5"]),
        ([16.0, 0.0027], ["16", "0.0027"]),
        ([12345.6, None], ["12,346", "-"]),
    ],
)
def test_the_numbers_of_a_column_have_as_many_decimals(
    values: list[float | None], shown: list[str]
) -> None:
    lines = list(table(["n"], [[one] for one in values], 80))
    assert [line.strip() for line in lines[1:]] == shown


def test_on_a_terminal_what_is_too_wide_stands_below_and_no_word_is_broken() -> None:
    program = (
        "from blood_hpo.cli.output import *\n"
        "rows = [['x', 'words ' * 30, 1], ['y', 'z', 2]]\n"
        "print_rows(['[b]', 'said', 'n'], rows, OutputFormat.TABLE, title='T')"
    )
    here, there = pty.openpty()
    environment = os.environ | {"COLUMNS": "60", "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", program], stdout=there, env=environment, check=True)
    os.close(there)
    title, header, row, *below = os.read(here, 65536).decode().splitlines()[:-2]
    os.close(here)
    assert (title, header.split(), row.split()) == ("T", ["[b]", "n"], ["x", "1"])
    assert below[0].startswith("    said: words words")
    assert set(" ".join(below).split()) == {"said:", "words"}
    assert max(map(len, below)) <= 60
