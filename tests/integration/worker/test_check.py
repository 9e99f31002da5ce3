"""The audit finds each thing that should not be, and mends what can be mended."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from optuna.trial import TrialState
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from blood_hpo.cli.main import app
from blood_hpo.database.artefacts import load
from blood_hpo.database.record import TrialRecord, read_trials
from blood_hpo.errors import StudyError
from blood_hpo.settings import Settings
from blood_hpo.store.results import Ending, Results
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy
from blood_hpo.training.fold_result import FoldResult
from blood_hpo.worker.checkpoint import Checkpoint, folder
from blood_hpo.worker.claims import Claims
from blood_hpo.worker.janitor import Audit

from .conftest import STOP, MakeStudy, beat

BREAKAGES = {
    "lost": "DELETE FROM hpo.attempt WHERE number = 4",
    "never heard of": "UPDATE hpo.attempt SET heartbeat_at = NULL WHERE open",
    "not heard of": "UPDATE hpo.attempt SET heartbeat_at = '2000-01-01' WHERE open",
    "unlinked file": """
        INSERT INTO hpo.piece (study_id, sha256, piece, content, stored_at)
        SELECT study_id, repeat('ab', 32), 0, 'x', '2000-01-01' FROM hpo.study""",
}
RESULTS = Results([FoldResult(0.5, 1, 1, [0.5], [0.5], [0.5])], 1.0, 1000)


@pytest.fixture
def study(make_study: MakeStudy) -> SharedStudy:
    """Trials 0 and 2 complete, 1 failed and retried as 4, 3 in training."""
    study = make_study()
    claims = [Claims(study, name).claim(STOP) for name in "abcd"]
    for claim, worker in zip(claims, "abcd", strict=True):
        assert isinstance(claim, TrialRecord)
        if worker in "ac":
            study.storage.end(claim.trial_id, worker, TrialState.COMPLETE, Ending(0.5, RESULTS))
        if worker == "b":
            study.storage.fail(study.study_id, claim.trial_id, "dice", worker="b", retry=True)
    return study


@pytest.fixture
def audit(study: SharedStudy, tmp_path: Path) -> Audit:
    return Audit(study.storage, study.name, Settings(home=tmp_path))


def test_a_sound_study_has_nothing_to_find(audit: Audit) -> None:
    assert audit.find() == []


@pytest.mark.parametrize("kind", BREAKAGES)
def test_what_can_be_mended_is_mended(study: SharedStudy, tmp_path: Path, kind: str) -> None:
    audit = Audit(study.storage, study.name, Settings(home=tmp_path, grace_seconds=0.01))
    with study.storage.engine.begin() as session:
        session.execute(text(BREAKAGES[kind]))
    assert kind in {row[0] for row in audit.find()}
    audit.repair()
    assert kind not in {row[0] for row in audit.find()}


def test_a_worker_mends_what_it_may(study: SharedStudy, server: Engine, tmp_path: Path) -> None:
    with server.connect() as connection:
        connection.execute(text("ALTER ROLE blood_hpo_worker LOGIN"))
    with study.storage.engine.begin() as session:
        session.execute(text(BREAKAGES["not heard of"]))
    url = study.storage.engine.url.set(username="blood_hpo_worker").render_as_string()
    audit = Audit(StudyStorage(url), study.name, Settings(home=tmp_path, grace_seconds=0.01))
    assert audit.find() != []
    audit.repair()
    assert audit.find() == []


def test_a_place_without_any_attempt_is_given_back(study: SharedStudy, tmp_path: Path) -> None:
    audit = Audit(study.storage, study.name, Settings(home=tmp_path))
    with study.storage.engine.begin() as session:
        session.execute(text("DELETE FROM hpo.attempt WHERE number = 0"))
    assert "lost" in {row[0] for row in audit.find()}
    audit.repair()
    assert audit.find() == []


def test_files_of_a_trial_that_is_ending_are_left_alone(study: SharedStudy, audit: Audit) -> None:
    content = b"weights" * 100_000
    digest = study.storage.store(study.study_id, content)
    with study.storage.engine.begin() as session:
        session.execute(text("UPDATE hpo.piece SET stored_at = '2000-01-01'"))
        ending = session.execute(text("SELECT trial_id FROM hpo.attempt WHERE number = 3"))
        trial_id = ending.scalar_one()
    audit.repair()
    told = {"model.keras": digest}
    assert study.storage.end(trial_id, "d", TrialState.COMPLETE, Ending(0.5, RESULTS), told)
    assert load(study.storage.engine, study.name, "3/model.keras") == content


def test_a_file_that_is_not_whole_ends_no_trial(study: SharedStudy) -> None:
    digest = study.storage.store(study.study_id, b"weights" * 100_000)
    with study.storage.engine.begin() as session:
        session.execute(text("DELETE FROM hpo.piece WHERE piece = 1"))
        ending = session.execute(text("SELECT trial_id FROM hpo.attempt WHERE number = 3"))
        trial_id = ending.scalar_one()
    told = {"model.keras": digest}
    with pytest.raises(StudyError, match="was removed before it was linked"):
        study.storage.end(trial_id, "d", TrialState.COMPLETE, Ending(0.5, RESULTS), told)
    assert beat(study.storage, trial_id, "d") == "held"


def test_a_file_that_goes_while_checkpoints_are_looked_at_is_none(
    study: SharedStudy, audit: Audit, tmp_path: Path
) -> None:
    there = folder(tmp_path, study.name)
    there.mkdir(parents=True)
    (there / "gone.part").symlink_to("nowhere")  # listed, and not there when it is looked at
    assert audit.find() == []


def test_a_checkpoint_that_nobody_needs_is_removed(
    study: SharedStudy, audit: Audit, tmp_path: Path
) -> None:
    with study.storage.plain() as connection:
        trials = read_trials(connection, study.name)
    done, needed = (Checkpoint(tmp_path, study, trials[number].identity) for number in (0, 3))
    for checkpoint in (done, needed):
        checkpoint.save({})
        os.utime(checkpoint.path, (0, 0))
    assert [(row[0], row[4]) for row in audit.find()] == [("left over", str(done.path))]
    audit.repair()
    assert not done.path.exists()
    assert needed.path.exists()


@pytest.mark.usefixtures("named_database")
def test_the_command_fails_where_something_is_found_and_where_a_repair_leaves_it(
    study: SharedStudy,
) -> None:
    with study.storage.engine.begin() as session:
        session.execute(text("DELETE FROM hpo.result"))
    for words, advice in (((), "try: "), (("--repair",), "it cannot be mended")):
        said = CliRunner().invoke(app, ["study", "check", "small", *words])
        assert isinstance(said.exception, StudyError)
        assert said.exception.exit_code == 5
        assert f"has 2 inconsistencies; {advice}" in str(said.exception)
        assert said.stdout.count("without result") == 2


def test_a_checkpoint_is_of_one_study_file_data_set_and_program(
    study: SharedStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = (
        study,
        replace(study, fingerprint="another"),
        replace(study, data={**study.data, "sha256": "b" * 64}),
    )
    paths = [Checkpoint(tmp_path, one, "first").path for one in others]
    monkeypatch.setattr("blood_hpo.worker.checkpoint.__version__", "another")
    paths.append(Checkpoint(tmp_path, study, "first").path)
    assert len(set(paths)) == 4
