"""The example notebook runs, and shows what a real run printed."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from blood_hpo.settings import settings

from .conftest import copy_of, fill_synthetic

NOTEBOOK = Path(__file__).parents[2] / "docs/study.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]


def run(source: str, names: dict[str, Any]) -> object:
    """Execute a cell as Jupyter does; the value of its last expression."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    if last is None:
        return None
    assert isinstance(last, ast.Expr)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


@pytest.fixture
def large(server: Engine, migrated: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A SYNTHETIC study under the notebook's name."""
    with copy_of(migrated, server) as url:
        fill_synthetic(url, trials=30, name="paper")
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.delenv("BLOOD_HPO_STUDY", raising=False)
        settings.cache_clear()
        yield
        settings.cache_clear()


@pytest.mark.usefixtures("large")
def test_the_notebook_runs() -> None:
    names: dict[str, Any] = {}
    answers = [run("".join(cell["source"]), names) for cell in CODE]
    assert all(answer is None or len(answer) for answer in answers)  # type: ignore[arg-type]


def test_the_stored_answers_are_of_a_real_data_set_with_its_checksum() -> None:
    printed = "".join(CODE[0]["outputs"][0]["text"])
    assert re.search(r"^[0-9a-f]{64}$", printed, re.MULTILINE)
    assert printed.rstrip().endswith("False")  # not synthetic
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))
    assert all(cell["outputs"] for cell in CODE)
    assert "error" not in {one["output_type"] for cell in CODE for one in cell["outputs"]}
