"""Studies that are copied from elsewhere, and files that are written: all of it or nothing."""

import hashlib
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

import optuna
import pytest
import typer
from optuna.exceptions import StorageInternalError

from blood_hpo.cli.commands import report
from blood_hpo.cli.commands.report import _unwritten
from blood_hpo.errors import InputError, StudyError
from blood_hpo.final.stage_study import open_stage
from blood_hpo.stages import CONFIRM
from blood_hpo.store.exchange import export_files, export_study, import_studies
from blood_hpo.store.pieces import link
from blood_hpo.store.studies import SharedStudy, finish, open_study

from .conftest import MakeStudy


@pytest.fixture
def study(make_study: MakeStudy) -> SharedStudy:
    return make_study()


def test_a_copy_that_cannot_be_made_leaves_the_study_of_its_name(
    study: SharedStudy, tmp_path: Path
) -> None:
    path = tmp_path / "broken.db"
    optuna.create_study(study_name="small", storage=f"sqlite:///{path}")
    with sqlite3.connect(path) as broken:
        broken.execute("DELETE FROM study_directions")
    broken.close()
    with pytest.raises(StudyError, match="there is a study 'small' already"):
        import_studies(study.storage, str(path), None, None)
    assert study.storage.study_id("small") == study.study_id


def test_a_copy_that_fails_leaves_nothing(study: SharedStudy, tmp_path: Path) -> None:
    there = f"sqlite:///{tmp_path}/theirs.db"
    theirs = optuna.create_study(study_name="theirs", storage=there)
    theirs.add_trial(optuna.create_trial(value=0.5))
    theirs.set_user_attr("x" * 600, 1)  # which SQLite takes, and PostgreSQL does not
    with pytest.raises(StorageInternalError):
        import_studies(study.storage, there, None, None)
    assert [one.study_name for one in study.storage.get_all_studies()] == ["small"]


def test_a_study_is_exported_with_its_stages_or_not_at_all(
    study: SharedStudy, tmp_path: Path
) -> None:
    there = f"sqlite:///{tmp_path}/theirs.db"
    open_stage(study, CONFIRM)
    optuna.create_study(study_name="small-confirm", storage=there)
    with pytest.raises(StudyError, match="there is a study 'small-confirm' already"):
        export_study(study.storage, study.name, there)
    assert optuna.get_all_study_names(there) == ["small-confirm"]


def test_files_are_exported_as_they_were_stored_or_not_at_all(
    study: SharedStudy, tmp_path: Path
) -> None:
    storage, contents = study.storage, [b"", b"curves" * 100_000]
    for number, content in enumerate(contents):
        digest = storage.store(study.study_id, content)
        with storage.engine.begin() as connection:
            link(connection, study.study_id, None, f"file-{number}", digest)
            connection.exec_driver_sql(  # as any worker could
                "INSERT INTO hpo.piece SELECT study_id, sha256, 99, 'more' FROM hpo.artefact"
                " ON CONFLICT DO NOTHING"
            )
    assert export_files(storage, ["small"], tmp_path / "whole") == 2
    written = {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}
    assert written == {hashlib.sha256(one).hexdigest(): one for one in contents}
    with storage.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE hpo.piece SET content = 'mine' WHERE piece = 0")
    with pytest.raises(StudyError, match=f"SHA-256 {digest}"):
        export_files(storage, ["small"], tmp_path / "changed")
    assert not (tmp_path / "changed" / digest).exists()


def test_a_password_among_the_options_is_not_shown(study: SharedStudy) -> None:
    with pytest.raises(InputError) as refused:
        import_studies(study.storage, "postgresql:///x?host=/nowhere&password=secret", None, None)
    assert "nowhere" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.usefixtures("named_database")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_following_ends_by_one_signal_that_comes_while_a_report_is_written(
    study: SharedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    finish(study)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report, "LOOK_SECONDS", 0.02)

    def interrupt() -> None:
        while not list(tmp_path.glob("report/.small-*")):
            time.sleep(0.001)
        os.kill(os.getpid(), number)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(typer.Exit) as ended:
        report.report("small", follow=True)
    assert ended.value.exit_code == 130
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["small"]
    assert (tmp_path / "report/small/report.html").exists()


def test_a_study_under_a_name_that_its_file_does_not_have_leads_into_no_folder(
    study: SharedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    finish(study)
    assert list(_unwritten(study.storage, None)) == ["small"]
    assert list(_unwritten(study.storage, "small")) == ["small"]
    assert list(_unwritten(study.storage, "another")) == []
    with study.storage.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE public.studies SET study_name = '../../evil'")
    assert list(_unwritten(study.storage, None)) == []
    with pytest.raises(StudyError, match="holds no study file"):
        open_study(study.storage, "../../evil")
