"""A worker's hold on one running trial: heartbeats, reports and the ending survive outages.

While the database is away training goes on; what could not be reported is kept and sent when the
database is back. The hold is lost when a peer has failed the trial in the meantime, because this
worker was not heard of for the grace time: then nothing this worker has to say counts any more.
"""

import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from blood_hpo.service.outage import ERRORS, OUTAGES, Waiting, patiently, transient
from blood_hpo.service.stage import Ending
from blood_hpo.service.storage import Attributes, StudyStorage


class LeaseLostError(Exception):
    """A peer has taken the trial over; its result will be the one that counts."""


class Lease:
    """Holds one trial from its claim to its ending; a context manager that keeps it alive."""

    def __init__(
        self, storage: StudyStorage, trial_id: int, worker: str, heartbeat_seconds: float
    ) -> None:
        self._storage = storage
        self._trial_id = trial_id
        self._worker = worker
        self._seconds = heartbeat_seconds
        self._unsent: dict[int, float] = {}
        self._done = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Not joined: a beat that hangs on a cut link ends by its own time-out, harmlessly, since
        # it touches the trial only while the trial is running and held by this worker.
        self._done.set()

    def _keep_alive(self) -> None:
        while not self._done.wait(self._seconds):
            try:
                alive = self._storage.beat(self._trial_id, self._worker)
            except Exception as error:  # whatever it is, a peer must not take a live trial over
                OUTAGES.away("sending heartbeats", error)
                continue
            OUTAGES.back()
            if not alive:
                self._lost.set()
                return

    def check(self) -> None:
        """Raise if the trial is no longer ours.

        Raises:
            LeaseLostError: A peer has taken the trial over.
        """
        if self._lost.is_set():
            raise LeaseLostError

    def report(self, reported: Mapping[int, float]) -> bool:
        """Send the score after each epoch, as many as have not been sent.

        Args:
            reported: Mean score by epoch, epochs counted from 1.

        Returns:
            False if the database is away; the scores are kept for the next call.

        Raises:
            LeaseLostError: A peer has taken the trial over.
        """
        self._unsent.update(reported)
        try:
            self._send()
        except ERRORS as error:
            if not transient(error):
                raise
            OUTAGES.away("reporting, training goes on", error)
            return False
        OUTAGES.back()
        return True

    def _send(self) -> None:
        self.check()
        try:
            for epoch in sorted(self._unsent):
                self._storage.set_trial_intermediate_value(
                    self._trial_id, epoch, self._unsent[epoch]
                )
                del self._unsent[epoch]
        except (UpdateFinishedTrialError, KeyError):  # ended by a peer, or deleted with its study
            raise LeaseLostError from None

    def end(
        self,
        state: TrialState,
        ending: Ending,
        wait: Waiting,
    ) -> None:
        """Finish the trial, waiting for the database as long as it takes.

        Raises:
            LeaseLostError: A peer has taken the trial over.
            Interrupted: ``wait`` said so while the database was away.
        """
        patiently(self._send, "reporting", wait)
        ended = patiently(
            lambda: self._storage.end(
                self._trial_id,
                self._worker,
                state,
                ending.value,
                ending.attributes,
                ending.artefacts,
            ),
            "ending a trial",
            wait,
        )
        if not ended:
            raise LeaseLostError

    def fail(self, attributes: Attributes, *, retry: bool, wait: Waiting) -> None:
        """Fail the trial for a reason of its own, with or without another attempt."""
        failed = patiently(
            lambda: self._storage.fail(
                self._trial_id, attributes, worker=self._worker, retry=retry
            ),
            "failing a trial",
            wait,
        )
        if not failed:
            raise LeaseLostError

    def note(self, attributes: Attributes, wait: Waiting) -> None:
        """Write attributes of the trial while it is running.

        Raises:
            LeaseLostError: A peer has taken the trial over.
            Interrupted: ``wait`` said so while the database was away.
        """
        noted = patiently(
            lambda: self._storage.note(self._trial_id, self._worker, attributes),
            "noting what a trial does",
            wait,
        )
        if not noted:
            raise LeaseLostError

    def put_back(self, wait: Waiting) -> None:
        """Return the trial to the queue, to be gone on with by whoever claims it next."""
        returned = patiently(
            lambda: self._storage.put_back(self._trial_id, self._worker),
            "returning a trial to the queue",
            wait,
        )
        if not returned:
            raise LeaseLostError
