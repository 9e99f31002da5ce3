"""Every SQL block of README and docs runs on a database that holds a tiny study.

It also holds a small SYNTHETIC one under the name of the study that docs/sql.md shows, with all
that a finished study leaves.
"""

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from sqlalchemy import Engine, text

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.address import engine
from blood_hpo.database.record import TrialRecord, read_trial
from blood_hpo.database.statements import names
from blood_hpo.store.new_study import create_study
from blood_hpo.store.results import Ending, Results
from blood_hpo.store.storage import StudyStorage
from blood_hpo.studyfile.load import load
from blood_hpo.training.fold_result import FoldResult

from .conftest import copy_of, fill_synthetic

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
]
WORKER = "host:1:a"
RESULTS = Results([FoldResult(0.6, 2, 1, [0.5, 0.4], [0.5, 0.6], [0.5, 0.6])] * 2, 1.0, 1000)


def record(storage: StudyStorage, study_id: int, family: str, units: int) -> TrialRecord:
    """A running trial of the quickstart as a worker claims it."""
    config = {"learning_rate": 0.01, "units": units, "width": 16}
    candidate = {
        "rank": 0,
        "config_hash": f"{units:016x}",
        "seed": units,
        "config": config,
        "params": config,
        "repeats_avoided": 0,
    }
    wanted = {"study_id": study_id, "family": family, "candidates": json.dumps([candidate])}
    with storage.plain() as connection:
        number = storage.create_trial(connection, WORKER, "new_configuration", wanted, lambda _: [])
        assert number is not None
        found = read_trial(connection, "quickstart", number)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def filled(server: Engine, migrated: str) -> Iterator[Engine]:
    """The quickstart study with a complete trial of each family and a failed one; and the other."""
    with copy_of(migrated, server) as database_url:
        storage = StudyStorage(database_url, "test")
        digits = "a" * 64, "a" * 32
        source = DataSource(Path("set.npz"), "path", *digits, official=False, synthetic=True)
        study = create_study(storage, load(ROOT / "studies/quickstart.toml"), source)
        separable = {"study_id": study.study_id, "family": "separable", "budget": 1}
        storage.tell("write_budget", **separable)
        for units, family in enumerate(("mlp", "cnn", "separable")):
            found = record(storage, study.study_id, family, units)
            assert storage.end(found.trial_id, WORKER, TrialState.COMPLETE, Ending(0.6, RESULTS))
        failed = record(storage, study.study_id, "cnn", 9)
        why: dict[str, Any] = {"worker": WORKER, "retry": False}
        assert storage.fail(study.study_id, failed.trial_id, "out of luck", **why)
        storage.engine.dispose()
        fill_synthetic(database_url, trials=100, name="paper")
        connected = engine(database_url, "test")
        yield connected
        connected.dispose()


@pytest.mark.parametrize("block", BLOCKS)
def test_the_query_runs_and_finds_something(block: str, filled: Engine) -> None:
    with filled.connect() as connection:
        assert connection.execute(text(block)).all()


def test_the_reference_is_what_the_database_says(filled: Engine) -> None:
    page = runpy.run_path(str(ROOT / "docs/sql_reference.py"))
    stored = (ROOT / "docs/sql-reference.md").read_text(encoding="utf-8")
    with filled.connect() as connection:
        said = page["reference"](connection)
    assert stored == said, "docs/sql-reference.md is out of date: run make docs"


def test_python_of_the_cookbook_runs(filled: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/sql.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    address = filled.url.render_as_string(hide_password=False)
    exec(compile(code, "docs/sql.md", "exec"), {"DATABASE": address})
    assert "mean" in capsys.readouterr().out


def test_calls_of_questions_in_the_cookbook_name_questions() -> None:
    page = (ROOT / "docs/sql.md").read_text(encoding="utf-8")
    called = set(re.findall(r"^blood-hpo query (\w+) ", page, re.MULTILINE))
    assert called
    assert called <= set(names())


def test_the_readme_asks_in_sql() -> None:
    assert any(str(block.id).startswith("README") for block in BLOCKS)
