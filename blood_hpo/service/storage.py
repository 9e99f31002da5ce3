"""Optuna's relational storage with the transactions that a shared budget needs.

Optuna counts, creates and finishes trials in separate transactions, from many processes. Here a
claim (count, decide, create, first heartbeat), an ending (attributes, value, state) and a retry
(failure of the old trial, creation of the new one) are one transaction each: whatever dies, the
database shows either all of it or nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from blood_hpo.database.address import engine_options
from blood_hpo.errors import StudyError
from blood_hpo.service.statements import statement

Attributes = Mapping[str, object]
METRIC_NAMES = "study:metric_names"
"""Optuna's system attribute behind ``Study.set_metric_names``."""


class StudyStorage(RDBStorage):
    """Optuna's storage on PostgreSQL, plus claims, endings and retries in one transaction each."""

    def __init__(
        self, url: str, application_name: str = "blood-hpo", *, read_only: bool = False
    ) -> None:
        options = engine_options(application_name, read_only=read_only)
        super().__init__(url, engine_kwargs=options, skip_table_creation=True)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session of its own, apart from the thread's session that Optuna's methods commit."""
        with Session(self.engine) as session, session.begin():
            yield session

    def create_study(self, name: str, attributes: Attributes, metric: str) -> bool:
        """Create a study with all its attributes at once; False if the name is taken."""
        try:
            with self.transaction() as session:
                direction = models.StudyDirectionModel(
                    objective=0, direction=StudyDirection.MAXIMIZE
                )
                study = models.StudyModel(study_name=name, directions=[direction])
                session.add(study)
                session.flush()
                session.add_all(
                    models.StudyUserAttributeModel(
                        study_id=study.study_id, key=key, value_json=json.dumps(value)
                    )
                    for key, value in attributes.items()
                )
                session.add(
                    models.StudySystemAttributeModel(
                        study_id=study.study_id, key=METRIC_NAMES, value_json=json.dumps([metric])
                    )
                )
        except IntegrityError:
            return False
        return True

    def claim(
        self, study_id: int, worker: str, decide: Callable[[], FrozenTrial | None]
    ) -> int | None:
        """Take a waiting trial, or create the one that ``decide`` returns, under the claim lock.

        Args:
            study_id: Optuna's key of the study.
            worker: Name of the worker that will run the trial.
            decide: Called with the lock held and nothing waiting; returns a template in state
                RUNNING, or None if there is nothing to create. It may read through this storage
                but must not write, since it runs beside the transaction that holds the lock.

        Returns:
            Key of the trial, which is RUNNING, held by ``worker``, with its first heartbeat.
        """
        with self.transaction() as session:
            now = session.execute(statement("claim_lock"), {"study_id": study_id}).one().now
            trial_id = session.execute(statement("waiting"), {"study_id": study_id}).scalar()
            if trial_id is not None:
                self._resume(session, trial_id, worker, now)
            else:
                template = decide()
                if template is None:
                    return None
                template.user_attrs["worker"] = worker
                trial_id = self._insert(session, study_id, template, now)
            session.flush()
            session.execute(
                statement("beat"), {"trial_id": trial_id, "worker_json": json.dumps(worker)}
            )
        return trial_id

    def _resume(self, session: Session, trial_id: int, worker: str, now: datetime) -> None:
        trial = models.TrialModel.find_or_raise_by_id(trial_id, session, for_update=True)
        trial.state = TrialState.RUNNING
        trial._datetime_start_utc = now
        self._write(session, trial_id, {"worker": worker})

    def _insert(
        self, session: Session, study_id: int, template: FrozenTrial, now: datetime | None
    ) -> int:
        # The lock on the study's row is Optuna's own protection of trial numbers.
        models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)
        trial = self._get_prepared_new_trial(study_id, template, session)
        trial._datetime_start_utc = now
        session.flush()
        return int(trial.trial_id)

    def _write(self, session: Session, trial_id: int, attributes: Attributes) -> None:
        for key, value in attributes.items():
            self._set_trial_attr_without_commit(
                session, models.TrialUserAttributeModel, trial_id, key, value
            )

    def beat(self, trial_id: int, worker: str) -> bool:
        """Record a heartbeat; False if the worker no longer holds the trial."""
        with self.transaction() as session:
            result = session.execute(
                statement("beat"), {"trial_id": trial_id, "worker_json": json.dumps(worker)}
            )
            return bool(result.rowcount)  # type: ignore[attr-defined]

    def end(
        self,
        trial_id: int,
        worker: str,
        state: TrialState,
        value: float | None,
        attributes: Attributes,
    ) -> bool:
        """Finish a trial with its attributes; False if the worker no longer holds it.

        Told twice, because an answer of the server was lost on the way, the second call finds the
        trial finished by the same worker in the same state and returns True.
        """
        with self.transaction() as session:
            trial = models.TrialModel.find_or_raise_by_id(trial_id, session, for_update=True)
            if not self._held(session, trial_id, worker):
                return False
            if trial.state != TrialState.RUNNING:
                return bool(trial.state == state)
            self._write(session, trial_id, attributes)
            if value is not None:
                self._set_trial_value_without_commit(session, trial, 0, value)
            trial.state = state
            trial._datetime_complete_utc = _now(session)
        return True

    def put_back(self, trial_id: int, worker: str) -> bool:
        """Return a running trial to the queue as it is; False if the worker no longer holds it.

        Safe only for the worker that stops working on it: a peer then writes to the same trial.
        """
        with self.transaction() as session:
            trial = models.TrialModel.find_or_raise_by_id(trial_id, session, for_update=True)
            if trial.state != TrialState.RUNNING or not self._held(session, trial_id, worker):
                return False
            trial.state = TrialState.WAITING
            self._write(session, trial_id, {"worker": None})
        return True

    def fail(
        self, trial_id: int, attributes: Attributes, *, worker: str | None = None, retry: bool
    ) -> bool:
        """Fail a running trial and, if it may be retried, enqueue its configuration again.

        The retry is a new trial, so that a worker that wakes up later cannot write to it. It is
        linked to the first attempt by the attributes that Optuna's own retry callback uses.

        Args:
            trial_id: Key of the trial.
            attributes: Added to the failed trial, among them its ``reason``.
            worker: If given, nothing happens unless this worker holds the trial.
            retry: Whether to enqueue the configuration again.

        Returns:
            False if the trial was not running (any more), or is not held by ``worker``.
        """
        with self.transaction() as session:
            trial = models.TrialModel.find_or_raise_by_id(trial_id, session, for_update=True)
            if trial.state != TrialState.RUNNING:
                return False
            if worker is not None and not self._held(session, trial_id, worker):
                return False
            frozen = self._build_frozen_trial_from_trial_model(trial)
            self._write(session, trial_id, {**attributes, "final_failure": not retry})
            trial.state = TrialState.FAIL
            trial._datetime_complete_utc = _now(session)
            if retry:
                self._insert(session, int(trial.study_id), _next_attempt(frozen), None)
        return True

    def _held(self, session: Session, trial_id: int, worker: str) -> bool:
        holder = select(models.TrialUserAttributeModel.value_json).where(
            models.TrialUserAttributeModel.trial_id == trial_id,
            models.TrialUserAttributeModel.key == "worker",
        )
        return session.execute(holder).scalar() == json.dumps(worker)

    def stale(self, study_id: int, grace_seconds: float) -> list[int]:
        """Keys of running trials that have not been heard of for ``grace_seconds``."""
        parameters = {"study_id": study_id, "grace_seconds": grace_seconds}
        with self.transaction() as session:
            return list(session.execute(statement("stale"), parameters).scalars())

    def failures_in_a_row(self, study_id: int) -> int:
        """How many trials in a row, up to the latest one finished, failed by their own fault."""
        with self.transaction() as session:
            found = session.execute(statement("failures_in_a_row"), {"study_id": study_id})
            return int(found.scalar_one())

    def study_id(self, name: str) -> int:
        """Optuna's key of a study.

        Raises:
            StudyError: There is no such study.
        """
        try:
            return int(self.get_study_id_from_name(name))
        except KeyError:
            raise StudyError(
                f"there is no study {name!r}; `blood-hpo study list` shows those that exist"
            ) from None


def _now(session: Session) -> datetime:
    """The server's clock, naive UTC as Optuna stores it."""
    found = session.execute(statement("server_clock")).scalar_one()
    assert isinstance(found, datetime)
    return found


def _next_attempt(failed: FrozenTrial) -> FrozenTrial:
    """A waiting trial with the failed one's configuration, linked to every attempt before."""
    kept = ("family", "config", "config_hash", "seed", "attempt")
    user = {key: failed.user_attrs[key] for key in kept if key in failed.user_attrs}
    history = [*failed.system_attrs.get("retry_history", []), failed.number]
    return create_trial(
        state=TrialState.WAITING,
        params=failed.params,
        distributions=failed.distributions,
        user_attrs={**user, "attempt": int(user.get("attempt", 1)) + 1},
        system_attrs={"failed_trial": history[0], "retry_history": history},
    )
