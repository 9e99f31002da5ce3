"""A stopped study: its worker gives the trial back after the epoch, and leaves."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from blood_hpo.cli.main import app
from blood_hpo.database.record import TrialRecord
from blood_hpo.errors import StudyError
from blood_hpo.final.stage_study import open_stage
from blood_hpo.settings import Settings
from blood_hpo.stages import FINAL, STOPPED
from blood_hpo.store.studies import SharedStudy, pause, resume
from blood_hpo.worker.claims import Claims
from blood_hpo.worker.shutdown import Shutdown
from blood_hpo.worker.worker import StoppedError, Worker

from .conftest import MakeStudy, beat, pause_reason

DEADLINE_SECONDS = 60.0


class Epochs:
    """A training without end, whose epochs take no time and call back."""

    epochs = 10**9
    finished = False

    def __init__(self, after: Callable[[], None]) -> None:
        self.epoch, self._after = 0, after

    def advance(self) -> None:
        self.epoch += 1
        self._after()
        time.sleep(0.01)  # the pace of the epochs, not a wait for something

    def reports(self) -> Mapping[int, float]:
        return {self.epoch: 0.5}

    def state(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        """Nothing is held."""


class Stage:
    """Claims as a search does, and trains as said."""

    def __init__(self, study: SharedStudy, after: Callable[[], None]) -> None:
        self.study, self.worker, self._after = study, "host:1:a", after
        self.claim = Claims(study, self.worker).claim

    def start(self, _: TrialRecord) -> Epochs:
        return Epochs(self._after)

    def should_prune(self, _: TrialRecord, __: Epochs) -> bool:
        return False


def turn_until_stopped(worker: Worker) -> None:
    while True:
        worker.turn()


def test_a_worker_gives_back_its_trial_and_leaves(make_study: MakeStudy, tmp_path: Path) -> None:
    study, deadline = make_study(), time.monotonic() + DEADLINE_SECONDS

    def stop() -> None:
        assert time.monotonic() < deadline, "the worker goes on"
        pause(study.storage, study.study_id, STOPPED)

    settings = Settings(home=tmp_path, heartbeat_seconds=0.05, grace_seconds=30)
    stage: Any = Stage(study, stop)
    worker = Worker(stage, settings, Shutdown(1.0))
    with pytest.raises(StoppedError):
        turn_until_stopped(worker)
    (trial,) = study.storage.get_all_trials(study.study_id)
    assert trial.state.name == "WAITING"
    with pytest.raises(StoppedError):  # so does a worker that comes while it is stopped
        turn_until_stopped(worker)
    resume(study.storage, study.study_id)
    claimed = stage.claim(Shutdown(1.0).wait)
    assert isinstance(claimed, TrialRecord)
    assert claimed.number == trial.number


def test_a_heartbeat_says_that_the_study_was_stopped(make_study: MakeStudy) -> None:
    study = make_study()
    claimed = Claims(study, "host:1:a").claim(Shutdown(1.0).wait)
    assert isinstance(claimed, TrialRecord)
    assert beat(study.storage, claimed.trial_id, "host:1:a") == "held"
    pause(study.storage, study.study_id, "lunch")
    assert beat(study.storage, claimed.trial_id, "host:1:a") == "held"
    pause(study.storage, study.study_id, STOPPED)
    assert beat(study.storage, claimed.trial_id, "host:1:a") == STOPPED
    assert beat(study.storage, claimed.trial_id, "host:2:b") is None


@pytest.mark.usefixtures("named_database")
def test_a_stage_is_not_stopped_without_its_search(make_study: MakeStudy) -> None:
    stage = open_stage(make_study(), FINAL)
    said = CliRunner().invoke(app, ["study", "stop", "small-final"])
    assert isinstance(said.exception, StudyError)
    assert "is a stage of 'small'" in str(said.exception)
    assert pause_reason(stage) is None


def test_a_worker_that_pauses_a_study_does_not_overrule_its_stop(make_study: MakeStudy) -> None:
    study = make_study()
    pause(study.storage, study.study_id, STOPPED)
    pause(study.storage, study.study_id, "five configurations failed", overrule=False)
    assert pause_reason(study) == STOPPED
    resume(study.storage, study.study_id)
    pause(study.storage, study.study_id, "five configurations failed", overrule=False)
    assert pause_reason(study) == "five configurations failed"
