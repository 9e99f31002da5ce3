"""A study without training: claims and endings are tested at the speed of the database."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.stages import STOPPED
from blood_hpo.store.new_study import create_study
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy
from blood_hpo.studyfile.schema import StudySpec

STOP = threading.Event().wait
MakeStudy = Callable[..., SharedStudy]


def small_spec(**changes: object) -> StudySpec:
    document: dict[str, object] = {
        "name": "small",
        "seed": 7,
        "pruner": {"name": "none"},
        "space": {"batch_size": [16, 32, 64, 128], "activation": ["relu", "tanh"]},
        "families": {
            "mlp": {"budget": 6, "space": {"units": [64, 128, 256]}},
            "cnn": {"budget": 6, "space": {"filters": [8, 16], "kernel_size": [3, 5]}},
        },
    }
    return StudySpec.parse({**document, **changes}, "test")


def source(digit: str = "a") -> DataSource:
    return DataSource(
        Path("set.npz"), "path", digit * 64, digit * 32, official=False, synthetic=True
    )


@pytest.fixture
def storage(database_url: str) -> StudyStorage:
    return StudyStorage(database_url, "test")


@pytest.fixture
def make_study(storage: StudyStorage) -> MakeStudy:
    def make(**changes: object) -> SharedStudy:
        return create_study(storage, small_spec(**changes), source())

    return make


def beat(storage: StudyStorage, trial_id: int, worker: str) -> str | None:
    """A heartbeat: "held", or that the study was stopped; None if the worker has lost the trial."""
    found = storage.ask("beat", trial_id=trial_id, worker=worker, stopped=STOPPED)
    return (STOPPED if found[0].stopped else "held") if found else None


def pause_reason(study: SharedStudy) -> str | None:
    """Why a study is paused, or None."""
    (found,) = study.storage.ask("paused", names=[study.name])
    return None if found.reason is None else str(found.reason)
