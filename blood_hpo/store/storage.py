"""The database as workers use it: Optuna's storage, and every step of a trial in one transaction.

Optuna counts, creates and finishes trials in separate transactions, from many processes. Here a
claim, an ending and a retry are one transaction each: whatever dies, the database shows either all
of it or nothing. Each can be told twice, because an answer was lost on the way, and is done once.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import Connection, ExceptionContext, Row, event
from sqlalchemy.exc import IntegrityError

from blood_hpo.database.address import engine_options
from blood_hpo.database.query import unknown_study
from blood_hpo.database.statements import statement
from blood_hpo.stages import STOPPED
from blood_hpo.store.pieces import link, store
from blood_hpo.store.results import Ending
from blood_hpo.text import printable

GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class Failures:
    """Configurations that failed since the latest success, and why the latest one did."""

    configurations: int
    last_reason: str


@dataclass(frozen=True)
class NewTrial:
    """What Optuna is told of a trial that is created.

    Attributes:
        family: Model family.
        params: As `optuna_private.parameter_row` makes them.
        copied_from: Key of a trial whose parameters it has too, or None.
    """

    family: str
    params: Sequence[Mapping[str, object]] = ()
    copied_from: int | None = None


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
        """Connect to a database that has this program's schema.

        Args:
            url: Its address.
            application_name: Who asks, as it stands in ``pg_stat_activity``.
            read_only: Whether the server refuses every change.
            grace_seconds: Silence in the middle of a transaction after which the server ends it,
                so that a process that was stopped there does not hold up the others.
        """
        options = engine_options(
            application_name, read_only=read_only, silence_seconds=grace_seconds
        )
        # Who has just started does not know who could be heard before.
        self._unreachable_at = time.monotonic()
        try:
            super().__init__(url, engine_kwargs=options, skip_table_creation=True)
        except Exception:
            self.engine.dispose()  # where connections are few, none may be left behind
            raise
        event.listen(self.engine, "handle_error", self._on_error)

    def _on_error(self, context: ExceptionContext) -> None:
        if context.is_pre_ping:
            return  # a connection that has died while it lay idle is replaced at once: no outage
        if context.connection is None or context.is_disconnect:
            self._unreachable_at = time.monotonic()
        if context.connection is None:
            # Where the server has no connection left for anybody, idle ones must not keep it so.
            self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection with a transaction, which ends with the block."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def plain(self) -> Iterator[Connection]:
        """A connection on which each statement is a transaction, of one round trip."""
        with self.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.autocommit = True
            try:
                yield connection
            finally:
                # SQLAlchemy's own option stumbles over a connection that has died meanwhile.
                if driver.closed:
                    connection.invalidate()
                else:
                    driver.autocommit = False

    def ask(self, name: str, /, **parameters: object) -> list[Row[Any]]:
        """The rows that a statement gives, by itself in its transaction."""
        with self.plain() as connection:
            return list(connection.execute(statement(name), parameters).all())

    def tell(self, name: str, /, **parameters: object) -> int:
        """How many rows a statement changes, by itself in its transaction."""
        with self.plain() as connection:
            return connection.execute(statement(name), parameters).rowcount

    def create_trial(
        self,
        connection: Connection,
        worker: str,
        configuration: str,
        wanted: Mapping[str, Any],
        told: Callable[[Row[Any]], NewTrial],
    ) -> int | None:
        """Create a running trial, with the study locked.

        Args:
            connection: From `plain`.
            worker: Name of the worker that will run the trial.
            configuration: The statement that makes or finds its configuration.
            wanted: Parameters of the statement, ``study_id`` among them.
            told: What Optuna is told, given the statement's row.

        Returns:
            Number of the trial; None if the statement gives no row.
        """
        try:
            with _transaction(connection):
                connection.execute(statement("claim_lock"), wanted)
                made = connection.execute(statement(configuration), wanted).one_or_none()
                if made is None:
                    return None
                key = made.configuration_id
                return _new_trial(connection, wanted["study_id"], key, worker, told(made))
        except IntegrityError:
            return None  # somebody's transaction, at another isolation level, was faster

    def beat(self, trial_id: int, worker: str) -> str | None:
        """Record a heartbeat: "held", or `STOPPED`; None if the worker no longer has the trial."""
        found = self.ask("beat", trial_id=trial_id, worker=worker, stopped=STOPPED)
        return (STOPPED if found[0].stopped else "held") if found else None

    def report(self, trial_id: int, worker: str, scores: Mapping[int, float]) -> bool:
        """Record scores by epoch, from 1; False if the worker no longer holds the trial."""
        epochs, values = list(scores), list(scores.values())
        told = self.tell("report", trial_id=trial_id, worker=worker, epochs=epochs, values=values)
        return bool(told) or not scores

    def end(
        self,
        trial_id: int,
        worker: str,
        state: TrialState,
        ending: Ending,
        files: Mapping[str, str] | None = None,
    ) -> bool:
        """Finish a trial that the worker must hold, as COMPLETE or PRUNED; False if it does not.

        Its files are stored before (see `store`) and given by name with their SHA-256.
        """
        value, reason, shown = ending.value, ending.reason, ending.shown()
        with self.transaction() as connection:
            ended = _leave(
                connection, trial_id, worker, state.name, value=value, reason=reason, shown=shown
            )
            if isinstance(ended, bool):
                return ended
            if ending.results:
                ending.results.write(connection, trial_id)
            for name, digest in (files or {}).items():
                link(connection, ended.study_id, trial_id, f"{ended.number}/{name}", digest)
        return True

    def store(self, study_id: int, content: bytes) -> str:
        """Store a file in pieces, each in a transaction of its own; its SHA-256."""
        with self.plain() as connection:
            return store(connection, study_id, content)

    def put_back(self, trial_id: int, worker: str) -> bool:
        """Return a running trial to the queue as it is; False if the worker no longer holds it.

        Safe only for the worker that stops working on it: a peer then writes to the same trial.
        """
        with self.transaction() as connection:
            left = _leave(connection, trial_id, worker, "WAITING", shown={"worker": "null"})
        return left is not False

    def fail(  # noqa: PLR0913 - who fails what, and why
        self,
        study_id: int,
        trial_id: int,
        reason: str,
        *,
        worker: str,
        retry: bool,
        grace_seconds: float | None = None,
    ) -> bool:
        """Fail a running trial and, if it may be retried, enqueue its configuration again.

        The retry is a new trial, so that a worker that wakes up later cannot write to it. Of
        several processes that try, one succeeds.

        Args:
            study_id: Optuna's key of the study.
            trial_id: Optuna's key of the trial.
            reason: Why, in a line.
            worker: The worker that must hold it; otherwise nothing happens.
            retry: Whether to enqueue the configuration again.
            grace_seconds: Where a peer fails it: how long the worker must have been silent.

        Returns:
            Whether the trial has failed for this reason.
        """
        told: dict[str, Any] = {"reason": printable(reason), "grace_seconds": grace_seconds}
        told["failure"] = "error" if grace_seconds is None else "lost"
        with self.transaction() as connection:
            connection.execute(statement("claim_lock"), {"study_id": study_id})
            failed = _leave(connection, trial_id, worker, "FAIL", **told)
            if isinstance(failed, bool):
                return grace_seconds is None and failed
            key = failed.configuration_id
            if failed.in_force and retry:
                new = NewTrial(failed.family, copied_from=trial_id)
                _new_trial(connection, study_id, key, None, new)
            elif failed.in_force:
                lost = {"study_id": study_id, "configuration_id": key}
                connection.execute(statement("give_up"), lost)
        return True

    def stale(self, study_id: int, grace_seconds: float) -> list[Row[Any]]:
        """Running trials not heard of for so long: key, number, attempt, worker, grace time."""
        return self.ask("stale", study_id=study_id, grace_seconds=grace_seconds)

    def reachable_seconds(self) -> float:
        """How long the database has been there for this process, at most as long as it lives."""
        return time.monotonic() - self._unreachable_at

    def failures_in_a_row(self, study_id: int) -> Failures:
        """Which configurations have failed since the latest success or the latest resumption."""
        (found,) = self.ask("failures_in_a_row", study_id=study_id)
        return Failures(found.configurations, found.last_reason or "")

    def among_best(self, trial_id: int, value: float, count: int) -> bool:
        """Whether a trial would be among its family's best if it were complete with that value."""
        return bool(self.ask("among_best", trial_id=trial_id, value=value, count=count)[0][0])

    def study_id(self, name: str) -> int:
        """Optuna's key of a study.

        Raises:
            StudyError: There is no such study.
        """
        try:
            return int(self.get_study_id_from_name(name))
        except KeyError:
            raise unknown_study(self.engine, name) from None


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    """A transaction on a connection from `StudyStorage.plain`."""
    connection.rollback()  # ends what was read, of which nothing is held
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.autocommit = False
    try:
        with connection.begin():
            yield
    finally:
        if not driver.closed:
            driver.autocommit = True


def _new_trial(
    connection: Connection, study_id: int, configuration_id: int, worker: str | None, new: NewTrial
) -> int:
    """Create a trial, running if a worker holds it and else waiting; its number."""
    made = {
        "study_id": study_id,
        "configuration_id": configuration_id,
        "state": "RUNNING" if worker else "WAITING",
        "worker": worker,
        "family": new.family,
        "params": json.dumps(list(new.params)),
        "copied_from": new.copied_from,
    }
    return int(connection.execute(statement("new_trial"), made).one().number)


def _leave(  # noqa: PLR0913 - what an ending says
    connection: Connection,
    trial_id: int,
    worker: str,
    state: str,
    *,
    value: float | None = None,
    failure: str | None = None,
    reason: str | None = None,
    grace_seconds: float | None = None,
    shown: Mapping[str, str] | None = None,
) -> Row[Any] | bool:
    """Have a worker leave a running trial in another state.

    Args:
        connection: In whose transaction.
        trial_id: Optuna's key of the trial.
        worker: The worker that must hold it.
        state: COMPLETE, PRUNED, FAIL or WAITING.
        value: The trial's value, where it has one.
        failure: "error" or "lost", where it failed.
        reason: Why it was pruned or failed.
        grace_seconds: How long the worker must have been silent, where it is not the one that asks.
        shown: What optuna-dashboard shows, as JSON texts by name.

    Returns:
        The trial: study_id, number, configuration_id, family, in_force. Where the worker does not
        hold it: whether it has left it so before.
    """
    if reason is not None:
        shown = {**(shown or {}), "reason": json.dumps(reason)}
    told = {"trial_id": trial_id, "worker": worker, "state": state, "reason": reason}
    more = {"value": value, "failure": failure, "grace_seconds": grace_seconds}
    row = {**told, **more, "shown": json.dumps(shown or {})}
    left = connection.execute(statement("leave"), row).one_or_none()
    return bool(connection.scalar(statement("left_before"), told)) if left is None else left
