"""A worker's hold on one running trial: heartbeats, reports and the ending survive outages.

While the database is away training goes on; what could not be reported is kept and sent when the
database is back. The hold is lost when a peer has failed the trial in the meantime, because this
worker was not heard of for the grace time: then nothing this worker has to say counts any more.
"""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Self

from optuna.trial import TrialState

from blood_hpo.database.record import TrialRecord
from blood_hpo.errors import StudyError
from blood_hpo.stages import STOPPED
from blood_hpo.store.outage import ERRORS, OUTAGES, Waiting, patiently, transient
from blood_hpo.store.results import Ending
from blood_hpo.store.studies import SharedStudy


class LeaseLostError(Exception):
    """A peer has taken the trial over; its result will be the one that counts."""


class Lease:
    """Holds one trial from its claim to its ending; a context manager that keeps it alive."""

    def __init__(
        self, study: SharedStudy, claim: TrialRecord, heartbeat_seconds: float, wait: Waiting
    ) -> None:
        """Hold the trial; ``wait`` is how to wait for the database with something to tell it."""
        self._storage, self._study_id = study.storage, study.study_id
        self._held = (claim.trial_id, str(claim.worker))
        self._seconds, self._wait = heartbeat_seconds, wait
        self._unsent: dict[int, float] = {}
        self._done = threading.Event()
        self._lost = threading.Event()
        self.stopped = False  # the study, so that the trial is to go back
        self._thread = threading.Thread(target=self._keep_alive, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Not joined: a beat that hangs on a cut link ends by its own time-out, harmlessly, since
        # it touches the trial only while the trial is running and held by this worker.
        self._done.set()

    def _keep_alive(self) -> None:
        trial_id, worker = self._held
        held = {"trial_id": trial_id, "worker": worker, "stopped": STOPPED}
        while not self._done.wait(self._seconds):
            try:
                found = self._storage.ask("beat", **held)
            except Exception as error:  # whatever it is, a peer must not take a live trial over
                OUTAGES.away("sending heartbeats", error)
                continue
            OUTAGES.back()
            if not found:
                self._lost.set()
                return
            self.stopped = found[0].stopped

    def report(self, reported: Mapping[int, float]) -> bool:
        """Send scores by epoch, from 1; False if the database is away: they are sent next time.

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
        if self._lost.is_set() or not self._storage.report(*self._held, self._unsent):
            raise LeaseLostError  # ended by a peer, or deleted with its study
        self._unsent.clear()

    def end(self, state: TrialState, ending: Ending) -> None:
        """Finish the trial, waiting for the database as long as it takes.

        Files are stored first, however long that takes, and linked with the rest.

        Raises:
            LeaseLostError: A peer has taken the trial over, as for all that follows.
            Interrupted: The waiting ended while the database was away, likewise.
        """
        storage, contents = self._storage, ending.artefacts.items()

        def store() -> dict[str, str]:
            return {name: storage.store(self._study_id, content) for name, content in contents}

        patiently(self._send, "reporting", self._wait)
        files = patiently(store, "storing files of a trial", self._wait)
        self._tell("ending a trial", partial(storage.end, *self._held, state, ending, files))

    def _tell(self, doing: str, call: Callable[[], bool]) -> None:
        if not patiently(call, doing, self._wait):
            raise LeaseLostError

    def fail(self, reason: str, *, retry: bool) -> None:
        """Fail the trial for a reason of its own, with or without another attempt."""
        trial_id, worker = self._held
        fail = partial(self._storage.fail, self._study_id, trial_id, reason, worker=worker)
        self._tell("failing a trial", partial(fail, retry=retry))

    def put_back(self) -> None:
        """Return the trial to the queue, to be gone on with by whoever claims it next."""
        self._tell("returning a trial to the queue", partial(self._storage.put_back, *self._held))

    def open_test(self) -> None:
        """Note that the test is opened for the trial's model; a StudyError if it is not to be."""
        trial_id, worker = self._held
        note = partial(self._storage.ask, "open_test", trial_id=trial_id, worker=worker)
        if not patiently(note, "opening the test", self._wait):
            raise StudyError("the study's plan no longer asks for this model; it is not tested")
