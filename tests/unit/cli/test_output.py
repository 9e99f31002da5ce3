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

from blood_hpo.cli.output import OutputFormat, print_rows, to_json

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
    local = f"{datetime(2024, 5, 1, tzinfo=UTC).astimezone():%Y-%m-%d %H:%M}"
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


def test_on_a_terminal_what_is_too_wide_stands_below_and_no_word_is_broken() -> None:
    program = (
        "from blood_hpo.cli.output import *\n"
        "print_rows(['[b]', 'said', 'n'], [['x', 'words ' * 30, 1]], OutputFormat.TABLE, title='T')"
    )
    here, there = pty.openpty()
    environment = os.environ | {"COLUMNS": "60", "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", program], stdout=there, env=environment, check=True)
    os.close(there)
    title, header, row, *below = os.read(here, 65536).decode().splitlines()
    os.close(here)
    assert (title, header.split(), row.split()) == ("T", ["[b]", "n"], ["x", "1"])
    assert below[0].startswith("    said: words words")
    assert set(" ".join(below).split()) == {"said:", "words"}
    assert max(map(len, below)) <= 60
