"""A study in a notebook: the views as pandas frames, and nothing that changes it."""

import subprocess
import sys
from pathlib import Path

import pytest
from pandas import DataFrame
from sqlalchemy import Engine

import blood_hpo
from blood_hpo.database.frames import Study
from blood_hpo.database.scripts import words
from blood_hpo.errors import InputError, StudyError

from .conftest import rows


@pytest.fixture
def opened(study: str, named_database: str) -> Study:
    assert named_database
    return blood_hpo.open_study(study)


def test_a_study_gives_a_frame_for_each_view(opened: Study, connected: Engine) -> None:
    ordered = {name for name, said in words().items() if "order" in said}
    for name in ordered:
        found = opened.frame(name)
        assert isinstance(found, DataFrame)
        assert "study" in found.columns, name
    views = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'hpo'::regnamespace AND relkind = 'v'"
    )
    assert {row["relname"] for row in rows(connected, views)} == ordered
    assert repr(opened) == "Study(name='blood')"
    trials = opened.trials()
    assert str(trials["units"].dtype) == "Int64"
    assert list(trials["number"]) == list(range(7))
    assert trials.loc[0, "config"]["units"] == 512
    assert list(opened.leaderboard(top=1)["number"]) == [2, 1]
    assert set(opened.frame("learning_curves", 0)["number"]) == {0}
    assert len(opened.frame("learning_curves", 0)) == 6
    assert opened.sql("select count(*) as n from trials").loc[0, "n"] == 7
    assert list(blood_hpo.list_studies()["study"]) == ["blood"]
    with pytest.raises(InputError, match="read-only"):
        opened.sql("delete from public.trials returning *")
    with pytest.raises(StudyError, match="there is no study 'nope'"):
        blood_hpo.open_study("nope")
    with pytest.raises(InputError, match="did you mean 'trials'"):
        opened.frame("trial")
    with pytest.raises(InputError, match="no rows of trials"):
        opened.frame("models", 0)


def test_parameters_of_a_statement_are_bound(opened: Study) -> None:
    asked = "select number from trials where score > :least and family = :family"
    assert list(opened.sql(asked, least=0.85, family="mlp")["number"]) == [1]
    assert opened.sql(asked, least=0.85, family="mlp' or 'a' = 'a").empty
    several = "select number from trials where number = any(:wanted)"
    assert len(opened.sql(several, wanted=[0, 2])) == 2
    assert opened.sql("select '50 % :x' as a").loc[0, "a"] == "50 % :x"
    assert opened.sql("select '%' || :x as a", x="%s ' :y").loc[0, "a"] == "%%s ' :y"
    assert opened.sql("select sum(budget) as n from studies").loc[0, "n"] + 0.5 == 10.5
    with pytest.raises(InputError, match="takes family, least"):
        opened.sql(asked, number=1)


def test_a_program_of_somebodys_own_is_checked_against_our_types(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import blood_hpo\n\nreveal_type(blood_hpo.open_study('paper'))\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "mine.py"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert '"blood_hpo.database.frames.Study"' in said


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, blood_hpo; print({'pandas', 'sqlalchemy', 'optuna'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
