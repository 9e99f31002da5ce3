"""A small study in Optuna's tables and ours, written in SQL as a worker writes it."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    distribution_to_json,
)
from sqlalchemy import Connection, Engine, create_engine, text

from blood_hpo.database.address import embedded_url, engine
from blood_hpo.server import embedded
from blood_hpo.settings import Settings

PASSWORD = "s3cret/word"
SPEC = {
    "name": "blood",
    "description": "a small study",
    "seed": 7,
    "objective": "accuracy",
    "data": {"fraction": 0.4},
    "training": {"folds": 3, "epochs": 50},
    "sampler": {"name": "tpe"},
    "pruner": {"name": "median"},
    "families": {},
}
DATA = {
    "label": "a test set",
    "origin": "path",
    "sha256": "ab" * 32,
    "md5": "cd" * 16,
    "official": False,
    "synthetic": True,
}
BUDGETS: dict[str, Any] = {"mlp": 5, "cnn": 3, "resnet": 2}
MLP = {
    "optimizer": "adamw",
    "learning_rate": 0.002,
    "batch_size": 16,
    "units": 512,
    "standardise": True,
}
CHOICES: dict[str, list[Any]] = {
    "model": ["mlp", "cnn", "resnet"],
    "standardise": [False, True],
    "pool_size": [2, 3, "global", None],
}


@dataclass
class Recorder:
    """Writes studies and trials by plain SQL: it plays the worker.

    Attributes:
        connected: The database.
        study_id: Optuna's key of the study that trials are written to.
    """

    connected: Engine
    study_id: int = 0

    def run(self, statement: str, **parameters: object) -> Any:
        """Execute a statement in a transaction of its own; its first value, if it gives any."""
        with self.connected.begin() as connection:
            return execute(connection, statement, **parameters)

    def insert(self, table: str, returning: str = "NULL::integer", **row: object) -> Any:
        """Write one row; mappings become JSON."""
        with self.connected.begin() as connection:
            return insert(connection, table, returning, **row)

    def create(
        self, name: str, stage: str = "search", search: int | None = None, **budgets: int
    ) -> int:
        """A study with its budgets; its key."""
        with self.connected.begin() as connection:
            study_id = insert(connection, "studies", "study_id", study_name=name)
            insert(
                connection, "study_directions",
                study_id=study_id, direction="MAXIMIZE", objective=0,
            )  # fmt: skip
            insert(
                connection, "hpo.study", study_id=study_id, stage=stage,
                search_id=search or study_id, spec=SPEC, data=DATA, fingerprint="f",
                program_version="0.1.0",
            )  # fmt: skip
            for family, budget in budgets.items():
                insert(connection, "hpo.budget", study_id=study_id, family=family, budget=budget)
        return int(study_id)

    def configuration(
        self, family: str, digest: str, config: Mapping[str, object], **more: Any
    ) -> int:
        """A configuration that takes the next place of its family's budget; its key."""
        wanted = "WHERE study_id = :study_id AND family = :family"
        key = {"study_id": self.study_id, "family": family}
        row = {
            "stage": self.run("SELECT stage FROM hpo.study WHERE study_id = :s", s=self.study_id),
            "budget": self.run(f"SELECT budget FROM hpo.budget {wanted}", **key),
            "place": self.run(
                f"SELECT coalesce(max(place), 0) + 1 FROM hpo.configuration {wanted}", **key
            ),
            "config_hash": digest,
            "seed": 3,
            "config": {**config, "digest": digest},  # no two are equal
            "params": config,
            **more,
        }
        return int(self.insert("hpo.configuration", "configuration_id", **key, **row))

    def attempt(
        self, configuration: int, state: str, worker: str | None = None, **more: Any
    ) -> int:
        """A trial that attempts a configuration; its key."""
        with self.connected.begin() as connection:
            number = execute(
                connection,
                "SELECT coalesce(max(number), -1) + 1 FROM trials WHERE study_id = :s",
                s=self.study_id,
            )
            attempt = execute(
                connection,
                "SELECT count(*) + 1 FROM hpo.attempt WHERE configuration_id = :c",
                c=configuration,
            )
            trial_id = insert(
                connection, "trials", "trial_id", number=number, study_id=self.study_id, state=state
            )
            if state != "WAITING":
                started = "UPDATE trials SET datetime_start = now() WHERE trial_id = :t"
                execute(connection, started, t=trial_id)
            row = {"attempt": attempt, "worker": worker, **more}
            insert(
                connection, "hpo.attempt", trial_id=trial_id, configuration_id=configuration,
                study_id=self.study_id, number=number, **row,
            )  # fmt: skip
            beat = (
                "UPDATE hpo.attempt SET heartbeat_at = now()"
                " WHERE trial_id = :t AND worker IS NOT NULL"
            )
            execute(connection, beat, t=trial_id)
        return int(trial_id)

    def start(self, family: str, worker: str, digest: str, **more: Any) -> int:
        """A running trial of a new configuration, with what Optuna knows of it; its key."""
        config = more.pop("config", MLP if family == "mlp" else {"pool_size": "global"})
        trial_id = self.attempt(
            self.configuration(family, digest, config, **more), "RUNNING", worker
        )
        for name, value in {"model": family, **config}.items():
            found = distribution(name, value)
            self.insert(
                "trial_params", trial_id=trial_id, param_name=name,
                param_value=found.to_internal_repr(value),
                distribution_json=distribution_to_json(found),
            )  # fmt: skip
        return trial_id

    def report(self, trial_id: int, *values: float) -> None:
        """Report a value an epoch, from the first on."""
        for step, value in enumerate(values, start=1):
            self.insert(
                "trial_intermediate_values", trial_id=trial_id, step=step,
                intermediate_value=value, intermediate_value_type="FINITE",
            )  # fmt: skip

    def end(self, trial_id: int, state: str, scores: Sequence[float], **more: Any) -> None:
        """End a trial of two epochs, with its score on each fold."""
        mean = sum(scores) / len(scores)
        self.report(trial_id, mean, mean)
        result = {
            "epoch": 2, "epochs": 2 * len(scores), "seconds": 10.0, "parameter_count": 302_216,
        }  # fmt: skip
        known = {key: more.pop(key) for key in list(more) if key in {*result, "confusion"}}
        self.insert("hpo.result", trial_id=trial_id, **{**result, **known})
        self.insert("trial_values", trial_id=trial_id, objective=0, value=mean, value_type="FINITE")
        for fold, score in enumerate(scores, start=1):
            curve = [score, score + 0.01]
            self.insert(
                "hpo.fold", trial_id=trial_id, fold=fold, score=score, epochs=2, best_epoch=1,
                train_loss=[1.0, 0.5], validation=curve, held_out=curve,
            )  # fmt: skip
        self.finish(trial_id, state, **more)

    def fail(self, trial_id: int, failure: str, reason: str) -> None:
        """Fail a trial."""
        self.finish(trial_id, "FAIL", failure=failure, reason=reason)

    def finish(
        self, trial_id: int, state: str, failure: str | None = None, reason: str | None = None
    ) -> None:
        """Set the state of a trial, and why."""
        ended = (
            "UPDATE trials SET state = CAST(:s AS trialstate), datetime_complete = now()"
            " WHERE trial_id = :t"
        )
        noted = "UPDATE hpo.attempt SET open = false, failure = :f, reason = :r WHERE trial_id = :t"
        with self.connected.begin() as connection:
            execute(connection, ended, s=state, t=trial_id)
            execute(connection, noted, f=failure, r=reason, t=trial_id)

    def number(self, trial_id: int) -> int:
        """Number of a trial."""
        return int(self.run("SELECT number FROM trials WHERE trial_id = :t", t=trial_id))


def distribution(name: str, value: Any) -> BaseDistribution:
    """What a hyperparameter was drawn from."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return CategoricalDistribution(CHOICES.get(name, [json.dumps(value), value]))
    return FloatDistribution(0.0, 4096.0)


def execute(connection: Connection, statement: str, **parameters: object) -> Any:
    """The first value that a statement gives, if it gives any."""
    found = connection.execute(text(statement), parameters)
    return found.scalar() if found.returns_rows else None


def insert(
    connection: Connection, table: str, returning: str = "NULL::integer", **row: object
) -> Any:
    """Write one row; mappings become JSON."""
    values = {key: json.dumps(one) if isinstance(one, Mapping) else one for key, one in row.items()}
    names, places = ", ".join(values), ", ".join(f":{key}" for key in values)
    statement = f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING {returning}"
    return execute(connection, statement, **values)


@contextmanager
def unguarded(connected: Engine) -> Iterator[Connection]:
    """A transaction in which no trigger fires: what has ended may be spoilt."""
    with connected.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        yield connection


@pytest.fixture
def connected(database_url: str) -> Iterator[Engine]:
    """An engine with the program's options on the test's database."""
    found = engine(database_url, "test")
    yield found
    found.dispose()


@pytest.fixture
def recorder(connected: Engine) -> Recorder:
    found = Recorder(connected)
    found.study_id = found.create("blood", **BUDGETS)
    return found


@pytest.fixture
def study(recorder: Recorder) -> str:
    """Name of a study with trials in every state: see `write_trials`."""
    write_trials(recorder)
    return "blood"


def write_trials(recorder: Recorder) -> None:
    """Trials in every state.

    Numbers: 0 and 1 complete MLPs, 2 a complete CNN, 3 a pruned CNN, 4 an MLP that failed, 5 its
    retry, waiting, 6 a CNN in training.
    """
    first = recorder.start("mlp", "host-a:1:0", "aa" * 8)
    recorder.end(first, "COMPLETE", [0.7, 0.8, 0.9])
    second = recorder.start("mlp", "host-b:2:0", "bb" * 8)
    recorder.end(second, "COMPLETE", [0.9, 0.9, 0.9])
    third = recorder.start("cnn", "host-a:1:0", "cc" * 8)
    recorder.end(third, "COMPLETE", [0.5, 0.5, 0.5])
    pruned = recorder.start("cnn", "host-a:1:0", "dd" * 8)
    recorder.end(pruned, "PRUNED", [0.95, 0.95, 0.95], reason="pruned after epoch 2")
    failed = recorder.start("mlp", "host-b:2:0", "ee" * 8)
    recorder.fail(failed, "error", "loss is NaN in epoch 2")
    again = recorder.run("SELECT configuration_id FROM hpo.attempt WHERE trial_id = :t", t=failed)
    recorder.attempt(again, "WAITING")
    running = recorder.start("cnn", "host-c:3:0", "ff" * 8)
    recorder.report(running, 0.4, 0.6)


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
