"""A study in a notebook: the views as pandas frames, and nothing that changes it."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from pandas import DataFrame

import blood_hpo
from blood_hpo.database.frames import Study
from blood_hpo.errors import InputError, StudyError
from blood_hpo.settings import settings

FRAMES = [
    *("trials", "leaderboard", "progress", "workers", "fold_scores", "curves", "mean_curves"),
    *("reported_scores", "effects", "kernel_filters", "pruning", "cost", "attempts"),
    *("repeats_avoided", "confirmations", "models", "results", "confusion"),
    *("held_out_confusion", "misclassified"),
]


@pytest.fixture
def opened(study: str, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()
    yield blood_hpo.open_study(study)
    settings.cache_clear()


def test_a_study_gives_a_frame_for_each_view(opened: Study) -> None:
    for name in FRAMES:
        found = getattr(opened, name)()
        assert isinstance(found, DataFrame)
        assert "study" in found.columns, name
    public = {name for name in vars(Study) if not name.startswith("_")}
    assert public == {*FRAMES, "sql"}
    trials = opened.trials()
    assert list(trials["number"]) == list(range(7))
    assert trials.loc[0, "config"]["units"] == 512
    assert list(opened.leaderboard(top=1)["number"]) == [2, 1]
    assert set(opened.curves(0)["number"]) == {0}
    assert len(opened.curves(0)) == 6
    assert opened.sql("select count(*) as n from trials").loc[0, "n"] == 7
    with pytest.raises(InputError, match="read-only"):
        opened.sql("delete from public.trials returning *")
    with pytest.raises(StudyError, match="there is no study 'nope'"):
        blood_hpo.open_study("nope")


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, blood_hpo; print({'pandas', 'sqlalchemy', 'optuna'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
