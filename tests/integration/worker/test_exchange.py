"""Studies that are copied from elsewhere, and files that are written: all of it or nothing."""

import hashlib
import io
import os
import signal
import sqlite3
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import optuna
import pytest
import typer
from optuna.exceptions import StorageInternalError
from sqlalchemy import text

from blood_hpo.cli.commands import report
from blood_hpo.cli.commands.report import _unwritten
from blood_hpo.database.artefacts import by_digest, load, load_arrays
from blood_hpo.errors import InputError, StudyError
from blood_hpo.final.stage_study import open_stage
from blood_hpo.stages import CONFIRM
from blood_hpo.store.exchange import export_files, export_study, import_studies
from blood_hpo.store.pieces import link
from blood_hpo.store.studies import SharedStudy, finish, open_study

from .conftest import MakeStudy

DECOY = (
    "INSERT INTO hpo.artefact (study_id, name, sha256, bytes) VALUES (:study_id, :name, :sha256, 3)"
)
OTHER_PIECE = (
    "INSERT INTO hpo.piece (study_id, sha256, piece, content) VALUES (:study_id, :sha256, 0, 'bad')"
)


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
    with pytest.raises(StudyError, match="the place has a study 'small-confirm' already"):
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


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("postgresql:///x?host=/nowhere&password=s3cret", "nowhere"),
        ("postgresql://me:pa@s3cret@127.0.0.1:1/x", "PLACE cannot be read"),
        ("postgresql://me@127.0.0.1:1/x?sslpassword=s3cret", "PLACE has sslpassword"),
    ],
)
def test_no_part_of_a_password_is_shown(study: SharedStudy, place: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        import_studies(study.storage, place, None, None)
    assert "s3cret" not in str(refused.value)


def test_a_file_is_found_whatever_else_bears_its_checksum(
    study: SharedStudy, make_study: MakeStudy
) -> None:
    """Any worker could name a piece of another study, or one of its own, as that file."""
    storage, other = study.storage, make_study(name="decoy")
    digest = storage.store(study.study_id, b"the content")
    with storage.engine.begin() as connection:
        row = {"study_id": other.study_id, "sha256": digest}
        connection.execute(text(DECOY), {**row, "name": "of no piece"})
        link(connection, study.study_id, None, "file", digest)
    assert by_digest(storage.engine, digest) == b"the content"
    with storage.engine.begin() as connection:
        connection.execute(text(OTHER_PIECE), row)
    assert by_digest(storage.engine, digest) == b"the content"


def test_a_name_keeps_its_file(study: SharedStudy) -> None:
    storage = study.storage
    first, second = (storage.store(study.study_id, one) for one in (b"first", b"second"))
    with storage.engine.begin() as connection:
        for _ in range(2):  # what is told again after a lost answer
            link(connection, study.study_id, None, "file", first)
        with pytest.raises(StudyError, match="is another already"):
            link(connection, study.study_id, None, "file", second)
    assert load(storage.engine, study.name, "file") == b"first"


def test_arrays_that_would_fill_the_memory_are_refused(study: SharedStudy) -> None:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w") as one,
    ):
        header = {"descr": "|u1", "fortran_order": False, "shape": (2**30,)}
        np.lib.format.write_array_header_1_0(one, header)
        for _ in range(2**10):
            one.write(bytes(2**20))
    digest = study.storage.store(study.study_id, file.getvalue())
    with study.storage.engine.begin() as connection:
        link(connection, study.study_id, None, "x.npz", digest)
    with pytest.raises(StudyError, match="unpacks to more than 512 MB"):
        load_arrays(study.storage.engine, study.name, "x.npz")


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
