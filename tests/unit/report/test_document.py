"""Values as programs and as people read them."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from blood_hpo.report.page import cells
from blood_hpo.report.page.cells import Cell
from blood_hpo.report.page.document import Table
from blood_hpo.report.page.words import wording

REPORT = Path(cells.__file__).parents[1]


def test_a_number_keeps_its_digits_for_programs_and_few_for_people() -> None:
    cell = cells.number(-1234.56789, 2)
    assert cell.value == -1234.56789
    assert cell.text == f"{cells.MINUS}1,234.57"
    assert cells.number(0.5, sign=True).text == "+0.5000"


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf")])
def test_what_is_no_number_is_a_dash_and_null(nothing: float | None) -> None:
    assert cells.number(nothing) == Cell(None, cells.DASH)


def test_no_duration_is_a_dash() -> None:
    assert cells.duration(None) == cells.DASH


def test_a_mean_and_its_deviation_worked_out_by_hand() -> None:
    found = cells.mean_sd([0.7, 0.8, 0.9])
    assert found.value == pytest.approx(0.8)
    assert found.text == f"0.8000 ±{cells.NO_BREAK}0.1000"
    assert cells.mean_sd([0.7]).text == "0.7000"


def test_a_table_of_nothing_has_no_columns() -> None:
    empty = Table("t", "T", {"": []})
    assert (empty.shown, empty.records(), empty.csv()) == ([], [], "\n")


def test_settings_in_one_line() -> None:
    params = {"learning_rate": 0.00123456, "standardise": True, "weight_decay": None, "units": 64}
    expected = "learning rate 0.00123, standardise yes, weight decay library default, units 64"
    assert cells.settings(params) == expected


@pytest.mark.parametrize(("names", "text"), [(["a"], "a"), (["a", "b", "c"], "a, b and c")])
def test_names_in_a_sentence(names: list[str], text: str) -> None:
    assert cells.listed(names) == text


def test_a_table_reads_back_from_csv_and_json() -> None:
    row = {"x": cells.plain('a, "b"'), "y": cells.number(0.12345678), "z": cells.plain([1, 2])}
    table = Table("t", "T", {"first": [row], "second": [row]})
    header, first, second = csv.reader(io.StringIO(table.csv()))
    assert header == ["group", "x", "y", "z"]
    assert first == ["first", 'a, "b"', "0.12345678", "[1, 2]"]
    assert second[0] == "second"
    assert json.loads(json.dumps(table.records()))[1] == {
        "group": "second",
        "x": 'a, "b"',
        "y": 0.12345678,
        "z": [1, 2],
    }


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("titles", r'Section\("(\w+)"'),
        ("texts", r"\bsaid\(\s*['\"]([\w-]+)['\"]"),
        ("tables", r'\btable\(\s*"([\w-]+)"'),
        ("figures", r'\bfigure\(plot, "([\w-]+)"'),
    ],
)
def test_what_the_sections_say_is_written_and_nothing_else(kind: str, pattern: str) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in REPORT.rglob("*.py"))
    written = {one for one in wording()[kind] if not one.startswith("sampler-")}
    assert set(re.findall(pattern, source)) == written
