"""Studies that are copied from elsewhere, and files that are written: all of it or nothing."""

import sqlite3
from pathlib import Path

import optuna
import pytest

from blood_hpo.errors import StudyError
from blood_hpo.store.exchange import import_studies

from .conftest import MakeStudy


def test_a_copy_that_cannot_be_made_leaves_the_study_of_its_name(
    make_study: MakeStudy, tmp_path: Path
) -> None:
    study, path = make_study(), tmp_path / "broken.db"
    optuna.create_study(study_name="small", storage=f"sqlite:///{path}")
    with sqlite3.connect(path) as broken:
        broken.execute("DELETE FROM study_directions")
    broken.close()
    with pytest.raises(StudyError, match="there is a study 'small' already"):
        import_studies(study.storage, str(path), None, None)
    assert study.storage.study_id("small") == study.study_id
