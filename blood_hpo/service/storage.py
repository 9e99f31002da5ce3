"""Optuna's relational storage with the transactions that a shared budget needs.

Optuna counts, creates and finishes trials in separate transactions, from many processes. Here a
claim (count, decide, create, first heartbeat), an ending (attributes, value, state) and a retry
(failure of the old trial, creation of the new one) are one transaction each: whatever dies, the
database shows either all of it or nothing.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import ExceptionContext, event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from blood_hpo.database.address import engine_options
from blood_hpo.errors import StudyError
from blood_hpo.service.artefacts import link
from blood_hpo.service.statements import statement

Attributes = Mapping[str, object]
GRACE_SECONDS = 30.0
METRIC_NAMES = "study:metric_names"
"""Optuna's system attribute behind ``Study.set_metric_names``."""


@dataclass(frozen=True)
class Failures:
    """Configurations that failed since the latest success, and why the latest one did."""

    configurations: int
    last_reason: str


class StudyStorage(RDBStorage):
    """Optuna's storage on PostgreSQL, plus claims, endings and retries in one transaction each."""

    def __init__(
        self,
        url: str,
        application_name: str = "blood-hpo",
        *,
        read_only: bool = False,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        """Connect.

        Args:
            url: The address of a database that has this program's schema.
            application_name: Who asks, as it stands in ``pg_stat_activity``.
            read_only: Whether the server refuses every change.
            grace_seconds: Silence in the middle of a transaction after which the server ends it,
                so that a process that was stopped there does not hold up the others.
        """
        options = engine_options(
            application_name, read_only=read_only, silence_seconds=grace_seconds
        )
        self._unreachable_at = float("-inf")
        try:
            super().__init__(url, engine_kwargs=options, skip_table_creation=True)
        except Exception:
            self.engine.dispose()  # where connections are few, none may be left behind
            raise
        event.listen(self.engine, "handle_error", self._on_error)

    def _on_error(self, context: ExceptionContext) -> None:
        if context.connection is None:  # no connection could be made
            self._unreachable_at = time.monotonic()
            # Where the server has no connection left for anybody, idle ones must not keep it so.
            self.engine.dispose()

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

        A worker that holds a trial already is given that one: it does not know of it, because the
        answer to its claim was lost on the way.

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
            holder = {"study_id": study_id, "worker_json": json.dumps(worker)}
            trial_id = session.execute(statement("waiting"), holder).scalar()
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
        holder = {"trial_id": trial_id, "worker_json": json.dumps(worker)}
        # One statement and no transaction around it: one round trip, on slow links too.
        with self.engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            return bool(connection.execute(statement("beat"), holder).rowcount)

    def end(  # noqa: PLR0913, PLR0917 - everything that belongs to one transaction
        self,
        trial_id: int,
        worker: str,
        state: TrialState,
        value: float | None,
        attributes: Attributes,
        artefacts: Mapping[str, bytes] | None = None,
    ) -> bool:
        """Finish a trial with all that it leaves; False if the worker no longer holds it.

        Told twice, because an answer of the server was lost on the way, the second call finds the
        trial finished by the same worker in the same state and returns True.
        """
        with self.transaction() as session:
            trial = _lock(session, trial_id)
            if trial is None or not self._held(session, trial_id, worker):
                return False
            if trial.state != TrialState.RUNNING:
                return bool(trial.state == state)
            self._write(session, trial_id, attributes)
            self._attach(session, trial, artefacts or {})
            if value is not None:
                self._set_trial_value_without_commit(session, trial, 0, value)
            trial.state = state
            trial._datetime_complete_utc = _now(session)
        return True

    def _attach(
        self, session: Session, trial: models.TrialModel, artefacts: Mapping[str, bytes]
    ) -> None:
        trial_id, study_id = int(trial.trial_id), int(trial.study_id)
        for name, content in artefacts.items():
            digest = _keep(session, study_id, f"{trial.number}/{name}", content)
            self._set_trial_attr_without_commit(
                session, models.TrialSystemAttributeModel, trial_id, *link(name, digest)
            )

    def among_best(self, trial_id: int, value: float, count: int) -> bool:
        """Whether a trial would be among its family's best if it were complete with that value."""
        asked = {"trial_id": trial_id, "value": value, "count": count}
        with self.transaction() as session:
            return bool(session.execute(statement("among_best"), asked).scalar_one())

    def note(self, trial_id: int, worker: str, attributes: Attributes) -> bool:
        """Write attributes of a running trial; False if the worker no longer holds it."""
        with self.transaction() as session:
            trial = _lock(session, trial_id)
            if trial is None or not self._held(session, trial_id, worker):
                return False
            if trial.state != TrialState.RUNNING:
                return False
            self._write(session, trial_id, attributes)
        return True

    def keep(self, study_id: int, name: str, content: bytes) -> None:
        """Keep an artefact of a study; one of the same name is replaced."""
        with self.transaction() as session:
            _keep(session, study_id, name, content)

    def put_back(self, trial_id: int, worker: str) -> bool:
        """Return a running trial to the queue as it is; False if the worker no longer holds it.

        Safe only for the worker that stops working on it: a peer then writes to the same trial.
        """
        with self.transaction() as session:
            trial = _lock(session, trial_id)
            if trial is None:
                return False
            if trial.state != TrialState.RUNNING or not self._held(session, trial_id, worker):
                return bool(trial.state == TrialState.WAITING)
            trial.state = TrialState.WAITING
            self._write(session, trial_id, {"worker": None})
        return True

    def fail(self, trial_id: int, attributes: Attributes, *, worker: str, retry: bool) -> bool:
        """Fail a running trial and, if it may be retried, enqueue its configuration again.

        Told twice, it is done once, as with `end`. The retry is a new trial, so that a worker that
        wakes up later cannot write to it. It is linked to the first attempt by the attributes that
        Optuna's own retry callback uses.

        Args:
            trial_id: Key of the trial.
            attributes: Added to the failed trial, among them its ``reason``.
            worker: The worker that must hold it.
            retry: Whether to enqueue the configuration again.

        Returns:
            False if the trial is not held by ``worker``, or has ended otherwise.
        """
        with self.transaction() as session:
            trial = _lock(session, trial_id)
            if trial is None or not self._held(session, trial_id, worker):
                return False
            if trial.state != TrialState.RUNNING:
                return self._attribute(session, trial_id, "reason") == attributes.get("reason")
            self._fail(session, trial, attributes, retry=retry)
        return True

    def fail_stale(
        self, trial_id: int, attributes: Attributes, *, grace_seconds: float, retry: bool
    ) -> bool:
        """Fail a running trial whose worker has not been heard of; False if it has, or has ended.

        Of several processes that try, one succeeds.
        """
        with self.transaction() as session:
            trial = _lock(session, trial_id)
            if trial is None:
                return False
            silent = {"study_id": trial.study_id, "grace_seconds": grace_seconds}
            if trial_id not in session.execute(statement("stale"), silent).scalars():
                return False
            self._fail(session, trial, attributes, retry=retry)
        return True

    def _fail(
        self, session: Session, trial: models.TrialModel, attributes: Attributes, *, retry: bool
    ) -> None:
        frozen = self._build_frozen_trial_from_trial_model(trial)
        self._write(session, frozen._trial_id, {**attributes, "final_failure": not retry})
        trial.state = TrialState.FAIL
        trial._datetime_complete_utc = _now(session)
        if retry:
            self._insert(session, int(trial.study_id), _next_attempt(frozen), None)

    def _held(self, session: Session, trial_id: int, worker: str) -> bool:
        return self._attribute(session, trial_id, "worker") == worker

    def _attribute(self, session: Session, trial_id: int, key: str) -> object:
        """A user attribute of a trial; None if it has none of that name."""
        stored = select(models.TrialUserAttributeModel.value_json).where(
            models.TrialUserAttributeModel.trial_id == trial_id,
            models.TrialUserAttributeModel.key == key,
        )
        return json.loads(session.execute(stored).scalar() or "null")

    def stale(self, study_id: int, grace_seconds: float) -> list[int]:
        """Keys of running trials that have not been heard of for ``grace_seconds``.

        None for as long after this process could not reach the database: perhaps nobody could, and
        the others have not been given the time to be heard again.
        """
        if time.monotonic() - self._unreachable_at < grace_seconds:
            return []
        parameters = {"study_id": study_id, "grace_seconds": grace_seconds}
        with self.transaction() as session:
            return list(session.execute(statement("stale"), parameters).scalars())

    def start_heartbeats(self, study_id: int) -> None:
        """Have running trials without any heartbeat found silent."""
        with self.transaction() as session:
            session.execute(statement("start_heartbeats"), {"study_id": study_id})

    def give_up(self, study_id: int, numbers: list[int]) -> None:
        """Mark failed trials as failed for good."""
        with self.transaction() as session:
            parameters = {"study_id": study_id, "numbers": numbers}
            session.execute(statement("give_up"), parameters)

    def failures_in_a_row(self, study_id: int) -> Failures:
        """Which configurations have failed since the latest success or the latest resumption."""
        with self.transaction() as session:
            found = session.execute(statement("failures_in_a_row"), {"study_id": study_id}).one()
            return Failures(found.configurations, json.loads(found.last_reason or '""'))

    def now(self) -> datetime:
        """The server's clock, naive UTC as Optuna stores it."""
        with self.transaction() as session:
            return _now(session)

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


def _lock(session: Session, trial_id: int) -> models.TrialModel | None:
    """A trial, for this transaction alone to change; None if it was deleted with its study."""
    return session.get(models.TrialModel, trial_id, with_for_update=True)


def _now(session: Session) -> datetime:
    """The server's clock, naive UTC as Optuna stores it."""
    found = session.execute(statement("server_clock")).scalar_one()
    assert isinstance(found, datetime)
    return found


def _keep(session: Session, study_id: int, name: str, content: bytes) -> str:
    """Keep a file; its SHA-256."""
    digest = hashlib.sha256(content).hexdigest()
    session.execute(
        statement("keep_artefact"),
        {"study_id": study_id, "name": name, "sha256": digest, "content": content},
    )
    return digest


def _next_attempt(failed: FrozenTrial) -> FrozenTrial:
    """A waiting trial with the failed one's configuration, linked to every attempt before."""
    user = {key: value for key, value in failed.user_attrs.items() if key != "worker"}
    history = [*failed.system_attrs.get("retry_history", []), failed.number]
    return create_trial(
        state=TrialState.WAITING,
        params=failed.params,
        distributions=failed.distributions,
        user_attrs={**user, "attempt": int(user.get("attempt", 1)) + 1},
        system_attrs={"failed_trial": history[0], "retry_history": history},
    )
