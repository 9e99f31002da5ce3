"""A worker: claims trials until the study is finished, and survives what happens meanwhile.

One process, one core, many trials. A first signal drains: the epoch ends and the trial goes back to
the queue with its checkpoint. A second signal ends the process at once; the trial is then recovered
by a peer after the grace time.
"""

import logging
import os
import secrets
from dataclasses import dataclass
from functools import partial

from blood_hpo.dashboard.notes import refresh_note
from blood_hpo.database.record import TrialRecord
from blood_hpo.settings import Settings
from blood_hpo.stages import STOPPED
from blood_hpo.store.outage import Interrupted, patiently
from blood_hpo.store.studies import close_families, pause
from blood_hpo.text import printable
from blood_hpo.worker.attempt import Attempt
from blood_hpo.worker.claims import Busy, Finished, Found, Paused
from blood_hpo.worker.health import this_host
from blood_hpo.worker.janitor import recover_stale_trials
from blood_hpo.worker.lease import Lease, LeaseLostError
from blood_hpo.worker.machine import processor, program
from blood_hpo.worker.shutdown import Shutdown
from blood_hpo.worker.stage import Stage

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
CHECKPOINT_SECONDS = 20.0
"""Least time between two checkpoints of a trial; a drained trial is always saved."""

FAILURES_BEFORE_PAUSE = 5


class StoppedError(Interrupted):
    """The study was stopped, so its workers leave."""


def worker_name() -> str:
    """Host, process and a random word: no other process has it, not even in a twin container."""
    return f"{this_host()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass
class Worker:
    """Runs the trials of one stage of a study in this process.

    Attributes:
        stage: Which trials, and how each is trained. Its ``worker`` must be this process's alone.
        settings: Heartbeat, grace time and attempts; home of the checkpoints.
        shutdown: Tells the worker to stop.
        checkpoint_seconds: Least time between two checkpoints of a trial.
    """

    stage: Stage
    settings: Settings
    shutdown: Shutdown
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    def __post_init__(self) -> None:
        self.study = self.stage.study
        self._waiting_for: Paused | Busy | None = None
        self._finished: Finished | None = None
        self._introduced = False

    def run(self) -> None:
        """Take turns until the stage is finished or the worker is drained."""
        while not self.shutdown.requested:
            found = self.turn()
            if isinstance(found, Finished):
                return
            if isinstance(found, Paused | Busy):
                self.shutdown.wait(POLL_SECONDS)

    def turn(self) -> Found:
        """Recover, claim, and run the trial if there is one; say what was found.

        Raises:
            StudyError: The study has been deleted.
            StoppedError: The study was stopped.
        """
        try:
            return self._turn()
        except StoppedError:
            raise
        except Interrupted as error:
            log.info("stopped while %s", error)
            return Busy()

    def _turn(self) -> Found:
        if not self._introduced:
            patiently(self._introduce, "introducing itself", self.shutdown)
        patiently(self._recover, "looking for stale trials", self.shutdown)
        found = self.stage.claim(self.shutdown)
        if isinstance(found, TrialRecord):
            self._run(found)
        elif isinstance(found, Finished):
            self._finish(found)
        else:
            self._say(found)
        return found

    def _introduce(self) -> None:
        """Tell the database what this process is."""
        known = {"program": program(), "processor": processor()}
        grace = self.settings.grace_seconds
        self.study.storage.tell("meet", worker=self.stage.worker, grace_seconds=grace, **known)
        self._introduced = True

    def _recover(self) -> None:
        recovered = recover_stale_trials(
            self.study.storage,
            self.study.study_id,
            grace_seconds=self.settings.grace_seconds,
            max_attempts=self.settings.max_attempts,
        )
        if recovered:
            self._pause_if_failing()

    def _finish(self, found: Finished) -> None:
        # Said and done once, not once per look.
        if found == self._finished:
            return
        self._finished = found
        storage, study_id = self.study.storage, self.study.study_id
        for family in found.closed:
            log.info("%s: nothing is left to try; its budget closes", family)
        if found.closed:
            close = partial(close_families, storage, study_id, found.closed)
            patiently(close, "closing", self.shutdown)
        refresh_note(storage, study_id, least_seconds=0)
        log.info("study %s is finished", self.study.name)

    def _say(self, found: Paused | Busy) -> None:
        if found == Paused(STOPPED):
            log.info("study %s is stopped; leaving", self.study.name)
            raise StoppedError
        # Once per reason, not once per poll.
        if found == self._waiting_for:
            return
        self._waiting_for = found
        if isinstance(found, Paused):
            log.info("study %s is paused (%s); waiting", self.study.name, printable(found.reason))
        else:
            log.info("nothing to claim while trials of other workers are unfinished; waiting")

    def _run(self, claim: TrialRecord) -> None:
        self._waiting_for = self._finished = None
        settings = ", ".join(f"{name}={value}" for name, value in claim.params.items())
        number, storage, study_id = claim.number, self.study.storage, self.study.study_id
        log.info("trial %d: %s %s (attempt %d)", number, claim.family, settings, claim.attempt)
        with Lease(storage, study_id, claim, self.settings.heartbeat_seconds) as lease:
            try:
                if not self._attempt(claim, lease).run():
                    self._pause_if_failing()
            except LeaseLostError:
                log.warning(
                    "trial %d: lease lost, a peer has taken it over; result discarded", number
                )
        if not self.shutdown.requested:
            refresh_note(storage, study_id)

    def _attempt(self, claim: TrialRecord, lease: Lease) -> Attempt:
        return Attempt(
            self.stage, claim, lease, self.settings, self.shutdown, self.checkpoint_seconds
        )

    def _pause_if_failing(self) -> None:
        """Pause the study when its latest configurations all failed: the fault is not in them."""
        storage, study_id = self.study.storage, self.study.study_id
        wait = self.shutdown.last_words
        failures = patiently(lambda: storage.failures_in_a_row(study_id), "counting failures", wait)
        if failures.configurations < FAILURES_BEFORE_PAUSE:
            return
        reason = (
            f"{failures.configurations} configurations in a row failed, the last one with:"
            f" {failures.last_reason}"
        )
        log.error("study %s is paused: %s", self.study.name, reason)
        patiently(lambda: pause(storage, study_id, reason), "pausing", wait)
        refresh_note(storage, study_id, least_seconds=0)
