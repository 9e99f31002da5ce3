"""Every step of a trial in one transaction, from its claim to its ending.

Optuna counts, creates and finishes trials in separate transactions, from many processes. Here a
claim, an ending and a retry are one transaction each: whatever dies, the database shows either all
of it or nothing. Each can be told twice, because an answer was lost on the way, and is done once.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from optuna.trial import TrialState
from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from blood_hpo.database.statements import statement
from blood_hpo.store.connected_storage import ConnectedStorage
from blood_hpo.store.pieces import link, store
from blood_hpo.store.results import Ending
from blood_hpo.text import printable


class StudyStorage(ConnectedStorage):
    """Optuna's storage, plus claims, endings and retries in one transaction each."""

    def create_trial(
        self,
        connection: Connection,
        worker: str,
        configuration: str,
        wanted: Mapping[str, Any],
        params: Callable[[Row[Any]], Sequence[Mapping[str, object]]],
    ) -> int | None:
        """Create a running trial, with the study locked; its number.

        Args:
            connection: From `plain`.
            worker: Name of the worker that will run the trial.
            configuration: The statement that makes or finds its configuration, and the trial whose
                parameters it has too, if any (source_id); without a row there is no trial.
            wanted: Parameters of the statement, ``study_id`` among them.
            params: What Optuna is told, as `optuna_private.parameter_row` makes it, given the row.
        """
        try:
            with _transaction(connection):
                connection.execute(statement("claim_lock"), wanted)
                made = connection.execute(statement(configuration), wanted).one_or_none()
                if made is None:
                    return None
                new = {
                    "study_id": wanted["study_id"],
                    "configuration_id": made.configuration_id,
                    "state": "RUNNING",
                    "worker": worker,
                    "family": made.family,
                    "params": json.dumps(list(params(made))),
                    "copied_from": made.source_id,
                }
                return int(connection.execute(statement("new_trial"), new).one().number)
        except IntegrityError:
            return None  # somebody's transaction, at another isolation level, was faster

    def report(self, trial_id: int, worker: str, scores: Mapping[int, float]) -> bool:
        """Record scores by epoch, from 1; False if the worker no longer holds the trial."""
        epochs, values = list(scores), list(scores.values())
        what = {"trial_id": trial_id, "worker": worker, "epochs": epochs, "values": values}
        try:
            return bool(self.tell("report", **what)) or not scores
        except IntegrityError:
            return False  # a peer has just failed it

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
        told: dict[str, Any] = {"value": ending.value, "reason": ending.reason}
        told["shown"] = ending.results.shown() if ending.results else None
        with self.engine.begin() as connection:
            ended = _leave(connection, trial_id, worker, state.name, **told)
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
        with self.engine.begin() as connection:
            left = _leave(connection, trial_id, worker, "WAITING", shown={"worker": None})
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
        several processes that try, one succeeds; the others hear that it has not failed for this
        reason. A peer must give the grace time for which the worker has been silent.
        """
        told: dict[str, Any] = {"reason": printable(reason), "grace_seconds": grace_seconds}
        told["failure"] = "error" if grace_seconds is None else "lost"
        with self.engine.begin() as connection:
            connection.execute(statement("claim_lock"), {"study_id": study_id})
            failed = _leave(connection, trial_id, worker, "FAIL", **told)
            if isinstance(failed, bool):
                return grace_seconds is None and failed
            key = failed.configuration_id
            if failed.in_force and retry:
                again = {"study_id": study_id, "configuration_id": key, "family": failed.family}
                again |= {"state": "WAITING", "worker": None, "params": "[]"}
                connection.execute(statement("new_trial"), again | {"copied_from": trial_id})
            elif failed.in_force:
                connection.execute(
                    statement("give_up"), {"study_id": study_id, "configuration_id": key}
                )
        return True

    def failures_in_a_row(self, study_id: int) -> Row[Any]:
        """How many configurations failed since the latest success or resumption; last_reason."""
        return self.ask("failures_in_a_row", study_id=study_id)[0]

    def among_best(self, trial_id: int, value: float, count: int) -> bool:
        """Whether a trial would be among its family's best if it were complete with that value."""
        return bool(self.ask("among_best", trial_id=trial_id, value=value, count=count)[0][0])


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


def _leave(
    connection: Connection,
    trial_id: int,
    worker: str,
    state: str,
    *,
    shown: Mapping[str, object] | None = None,
    **why: object,
) -> Row[Any] | bool:
    """Have the worker that holds a running trial leave it as COMPLETE, PRUNED, FAIL or WAITING.

    Optuna-dashboard shows the reason and what is ``shown``, by name; ``why`` goes to the statement
    ``leave``. What comes back is the trial, or whether it was left so before if it is not held.
    """
    told = {"trial_id": trial_id, "worker": worker, "state": state}
    row = dict.fromkeys(("value", "reason", "failure", "grace_seconds")) | why | told
    known = {
        **(shown or {}),
        **({"reason": why["reason"]} if why.get("reason") is not None else {}),
    }
    texts = {key: json.dumps(value) for key, value in known.items()}
    left = connection.execute(statement("leave"), {**row, "shown": json.dumps(texts)})
    found = left.one_or_none()
    return bool(connection.scalar(statement("left_before"), row)) if found is None else found
