"""A worker: claims trials until the study is finished, and survives what happens meanwhile."""

import logging
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass

from blood_hpo.dashboard.notes import refresh_note
from blood_hpo.database.record import TrialRecord
from blood_hpo.settings import Settings
from blood_hpo.stages import STOPPED
from blood_hpo.store.outage import Interrupted, patiently, unless_away
from blood_hpo.store.studies import pause
from blood_hpo.text import printable
from blood_hpo.worker.attempt import Attempt
from blood_hpo.worker.claims import Busy, Finished, Found, Paused
from blood_hpo.worker.janitor import Audit, recover_stale_trials
from blood_hpo.worker.lease import Lease, LeaseLostError
from blood_hpo.worker.machine import processor, program, this_host
from blood_hpo.worker.shutdown import Shutdown
from blood_hpo.worker.stage import Stage

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
FAILURES_BEFORE_PAUSE = 5


class StoppedError(Interrupted):
    """The study was stopped, so its workers leave."""


def idle_seconds(looks: int, heartbeat_seconds: float) -> float:
    """How long to wait after so many looks in vain, each of which asks the database a lot."""
    return min(looks * POLL_SECONDS, heartbeat_seconds)


def worker_name() -> str:
    """Host, process and a random word: no other process has it, not even in a twin container."""
    return f"{this_host()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass
class Worker:
    """Runs the trials of one stage of a study, whose ``worker`` must be this process's alone."""

    stage: Stage
    settings: Settings
    shutdown: Shutdown

    def __post_init__(self) -> None:
        self._storage, self._study_id = self.stage.study.storage, self.stage.study.study_id
        self._said: Paused | Busy | Finished | None = None
        self._introduced = False

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
            patiently(self._introduce, "introducing itself", self.shutdown.wait)
        patiently(self._recover, "looking for stale trials", self.shutdown.wait)
        found = self.stage.claim(self.shutdown.wait)
        if isinstance(found, TrialRecord):
            self._run(found)
        elif found != self._said:  # said and done once, not at every look
            self._said = found
            self._finish(found) if isinstance(found, Finished) else self._wait(found)
        return found

    def _introduce(self) -> None:
        """Tell the database what this process is."""
        known = {"program": program(), "processor": processor()}
        grace = self.settings.grace_seconds
        self._storage.tell("meet", worker=self.stage.worker, grace_seconds=grace, **known)
        self._introduced = True

    def _recover(self) -> None:
        if recover_stale_trials(self._storage, self._study_id, self.settings):
            self._pause_if_failing()

    def _finish(self, found: Finished) -> None:
        storage, study_id = self._storage, self._study_id
        for family in found.closed:
            log.info("%s: nothing is left to try; its budget closes", family)
        if found.closed:
            closed = {"study_id": study_id, "families": list(found.closed)}
            wait = self.shutdown.wait
            patiently(lambda: storage.tell("close_families", **closed), "closing", wait)
        refresh_note(storage, study_id, least_seconds=0)
        with suppress(OSError):
            unless_away(Audit(storage, self.stage.study.name, self.settings).tidy, None)
        log.info("study %s is finished", self.stage.study.name)
        self._said = Finished()  # as it is from the next look on

    def _wait(self, found: Paused | Busy) -> None:
        name = self.stage.study.name
        if found == Paused(STOPPED):
            self._said = None
            log.info("study %s is stopped; leaving", name)
            raise StoppedError
        if isinstance(found, Paused):
            log.info("study %s is paused (%s); waiting", name, printable(found.reason))
        else:
            log.info("nothing to claim while trials of other workers are unfinished; waiting")

    def _run(self, claim: TrialRecord) -> None:
        self._said = None
        configuration = ", ".join(f"{name}={value}" for name, value in claim.params.items())
        told = (claim.number, claim.family, configuration, claim.attempt)
        log.info("trial %d: %s %s (attempt %d)", *told)
        seconds, wait = self.settings.heartbeat_seconds, self.shutdown.last_words
        with Lease(self.stage.study, claim, seconds, wait) as lease:
            try:
                if not Attempt(self.stage, claim, lease, self.settings, self.shutdown).run():
                    self._pause_if_failing()
            except LeaseLostError:
                log.warning(
                    "trial %d: lease lost, a peer has taken it over; result discarded", claim.number
                )
        if not self.shutdown.requested:
            refresh_note(self._storage, self._study_id)

    def _pause_if_failing(self) -> None:
        """Pause the study when its latest configurations all failed: the fault is not in them."""
        storage, study_id, wait = self._storage, self._study_id, self.shutdown.last_words
        failures = patiently(lambda: storage.failures_in_a_row(study_id), "counting failures", wait)
        if failures.configurations < FAILURES_BEFORE_PAUSE:
            return
        reason = (
            f"{failures.configurations} configurations in a row failed, the last one with:"
            f" {failures.last_reason}"
        )
        log.error("study %s is paused: %s", self.stage.study.name, reason)
        patiently(lambda: pause(storage, study_id, reason, overrule=False), "pausing", wait)
        refresh_note(storage, study_id, least_seconds=0)
