"""A small study made by Optuna itself, so that the views see what Optuna really writes."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import Engine, create_engine, text

from blood_hpo.database import embedded
from blood_hpo.database.address import embedded_url, engine, engine_options
from blood_hpo.settings import Settings

PASSWORD = "s3cret/word"
NAN = float("nan")
SPEC = {
    "name": "blood",
    "description": "a small study",
    "seed": 7,
    "objective": "accuracy",
    "data": {"fraction": 0.4},
    "training": {"folds": 3, "epochs": 50},
    "sampler": {"name": "tpe"},
    "pruner": {"name": "median"},
    "families": {"mlp": {"budget": 5}, "cnn": {"budget": 3}, "resnet": {"budget": 2}},
}
DATA = {"label": "a test set", "sha256": "ab" * 32, "synthetic": True}
MLP = {
    "optimizer": "adamw",
    "learning_rate": 0.002,
    "batch_size": 16,
    "units": 512,
    "standardise": True,
}


@dataclass
class Recorder:
    """Writes trials the way a worker does, with Optuna's own calls."""

    study: optuna.Study
    storage: RDBStorage

    def start(self, family: str, worker: str, **attributes: object) -> optuna.Trial:
        attributes = {"family": family, "worker": worker, "attempt": 1, **attributes}
        self.study.enqueue_trial({"model": family}, user_attrs=attributes)
        trial = self.study.ask()
        trial.suggest_categorical("model", ["mlp", "cnn", "resnet"])
        if family == "mlp":
            trial.suggest_int("units", 64, 1024, log=True)
            trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)
            trial.suggest_categorical("standardise", [False, True])
        else:
            trial.suggest_categorical("pool_size", [2, 3, "global", None])
        self.storage.record_heartbeat(trial._trial_id)
        return trial

    def end(
        self, trial: optuna.Trial, state: TrialState, scores: list[float], **attributes: object
    ) -> None:
        mean = sum(scores) / len(scores)
        trial.report(mean, 1)
        trial.report(mean, 2)
        curve = [[score, score + 0.01] for score in scores]
        losses = [[1.0, NAN] for _ in scores]
        ending = {
            "fold_scores": scores,
            "fold_epochs": [2] * len(scores),
            "fold_best_epochs": [1] * len(scores),
            "epochs_trained": 2 * len(scores),
            "seconds": 10.0,
            "parameter_count": 302_216,
            "curves": {"train_loss": losses, "validation": curve, "score": curve},
            **attributes,
        }
        for key, value in ending.items():
            trial.set_user_attr(key, value)
        self.study.tell(trial, mean if state == TrialState.COMPLETE else None, state)


@pytest.fixture
def recorder(database_url: str) -> Iterator[Recorder]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = RDBStorage(database_url, engine_kwargs=engine_options("test"))
    study = optuna.create_study(storage=storage, study_name="blood", direction="maximize")
    yield Recorder(study, storage)
    storage.engine.dispose()


@pytest.fixture
def study(recorder: Recorder) -> str:
    """Name of a study with trials in every state.

    Numbers: 0 and 1 complete MLPs, 2 a complete CNN, 3 a pruned CNN, 4 an MLP that failed, 5 its
    retry, waiting, 6 a CNN in training.
    """
    attributes = {"spec": SPEC, "data": DATA, "paused": None, "program_version": "0.1.0"}
    for key, value in attributes.items():
        recorder.study.set_user_attr(key, value)
    first = recorder.start("mlp", "host-a:1:0", config=MLP, config_hash="aa" * 8, seed=3)
    recorder.end(first, TrialState.COMPLETE, [0.7, 0.8, 0.9])
    second = recorder.start("mlp", "host-b:2:0", config=MLP, config_hash="bb" * 8)
    recorder.end(second, TrialState.COMPLETE, [0.9, 0.9, 0.9])
    third = recorder.start("cnn", "host-a:1:0", config={}, config_hash="cc" * 8)
    recorder.end(third, TrialState.COMPLETE, [0.5, 0.5, 0.5])
    pruned = recorder.start("cnn", "host-a:1:0", config={}, config_hash="dd" * 8)
    recorder.end(pruned, TrialState.PRUNED, [0.95, 0.95, 0.95], reason="pruned after epoch 2")
    failed = recorder.start("mlp", "host-b:2:0", config=MLP, config_hash="ee" * 8)
    recorder.end(failed, TrialState.FAIL, [NAN], reason="loss is NaN in epoch 2")
    retry = optuna.trial.create_trial(
        state=TrialState.WAITING,
        user_attrs={"family": "mlp", "config_hash": "ee" * 8, "attempt": 2, "worker": None},
        system_attrs={"failed_trial": 4, "retry_history": [4]},
    )
    recorder.study.add_trial(retry)
    running = recorder.storage.create_new_trial(
        recorder.study._study_id,
        optuna.trial.create_trial(
            state=TrialState.RUNNING, user_attrs={"family": "cnn", "worker": "host-c:3:0"}
        ),
    )
    recorder.storage.record_heartbeat(running)
    recorder.storage.set_trial_intermediate_value(running, 1, 0.4)
    recorder.storage.set_trial_intermediate_value(running, 2, 0.6)
    return "blood"


@pytest.fixture
def connected(database_url: str) -> Iterator[Engine]:
    """An engine with the program's options on the test's database."""
    found = engine(database_url, "test")
    yield found
    found.dispose()


@pytest.fixture(scope="session")
def guarded_url() -> Iterator[str]:
    """The address, with password, of a user on a server that asks this user for one."""
    home = Path(tempfile.mkdtemp(prefix="blood-hpo-test-"))
    owner = create_engine(embedded_url(Settings(home=home)), isolation_level="AUTOCOMMIT")
    rules = home / "postgres" / "pg_hba.conf"
    rules.write_text(f"local all guarded scram-sha-256\n{rules.read_text()}")
    with owner.connect() as connection:
        connection.execute(text(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'"))
    owner.dispose()
    embedded.release(home)
    embedded.ensure_running(home)  # started again, it has read its rules
    guarded = owner.url.set(username="guarded", password=PASSWORD)
    yield guarded.render_as_string(hide_password=False)
    embedded.release(home)
    shutil.rmtree(home)


def rows(connected: Engine, statement: str, **parameters: object) -> list[dict[str, object]]:
    with connected.connect() as connection:
        found = connection.execute(text(statement), parameters).mappings()
        return [dict(row) for row in found]
