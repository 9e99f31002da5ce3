"""Every SQL block of README and docs runs on a database that holds a tiny study."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial
from sqlalchemy import Engine, text

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.address import engine
from blood_hpo.service.storage import StudyStorage
from blood_hpo.service.studies import create_study
from blood_hpo.studyfile.load import load

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
]
WORKER = "host:1:a"


def record(storage: StudyStorage, study_id: int, family: str, state: TrialState) -> None:
    """A trial of the quickstart as a worker leaves it."""
    choices = CategoricalDistribution(("mlp", "cnn", "separable"))
    rates = FloatDistribution(1e-4, 1e-1, log=True)
    born = create_trial(
        state=TrialState.RUNNING,
        params={"model": family, "learning_rate": 0.01},
        distributions={"model": choices, "learning_rate": rates},
        user_attrs={"family": family, "config": {"learning_rate": 0.01, "width": 16}},
    )
    trial_id = storage.claim(study_id, WORKER, lambda: born)
    assert trial_id is not None
    if state == TrialState.FAIL:
        assert storage.fail(trial_id, {"reason": "out of luck"}, worker=WORKER, retry=False)
        return
    left = {"fold_scores": [0.5, 0.7], "fold_epochs": [2, 2], "fold_best_epochs": [2, 1]}
    assert storage.end(trial_id, WORKER, state, 0.6, left)


@pytest.fixture
def filled(database_url: str) -> Iterator[Engine]:
    """The quickstart study with a complete trial of each family and a failed one."""
    storage = StudyStorage(database_url, "test")
    source = DataSource(Path("set.npz"), "path", "a" * 64, "a" * 32, official=False, synthetic=True)
    study = create_study(storage, load(ROOT / "studies/quickstart.toml"), source)
    for family in ("mlp", "cnn", "separable"):
        record(storage, study.study_id, family, TrialState.COMPLETE)
    record(storage, study.study_id, "cnn", TrialState.FAIL)
    connected = engine(database_url, "test")
    yield connected
    connected.dispose()


@pytest.mark.parametrize("block", BLOCKS)
def test_the_query_runs_and_finds_something(block: str, filled: Engine) -> None:
    with filled.connect() as connection:
        assert connection.execute(text(block)).all()


def test_the_readme_asks_in_sql() -> None:
    assert any(str(block.id).startswith("README") for block in BLOCKS)
