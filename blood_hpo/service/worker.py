"""A worker: claims trials until the study is finished, and survives what happens meanwhile.

One process, one core, many trials. A first signal drains: the epoch ends, the trial goes back to
the queue with its checkpoint, and the worker exits with 0. A second signal ends it at once; the
trial is then recovered by a peer after the grace time.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FrameType

from optuna.trial import TrialState

from blood_hpo.search.cross_validation import CrossValidation
from blood_hpo.search.dataset import SearchData
from blood_hpo.search.pruner import should_prune
from blood_hpo.service.budget import Busy, Claim, Claims, Finished, Paused
from blood_hpo.service.checkpoint import Checkpoint
from blood_hpo.service.janitor import recover_stale_trials
from blood_hpo.service.lease import Lease, LeaseLostError
from blood_hpo.service.outage import ERRORS, Interrupted, patiently, transient
from blood_hpo.service.studies import SharedStudy, pause
from blood_hpo.settings import Settings
from blood_hpo.training.fit import NonFiniteLoss

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
CHECKPOINT_SECONDS = 20.0
"""Least time between two checkpoints of a trial; a drained trial is always saved."""

FAILURES_BEFORE_PAUSE = 5
INTERRUPTED_TWICE = 130


def worker_name() -> str:
    """Host, process and start time: distinct after a restart under the same process number."""
    return f"{socket.gethostname()}:{os.getpid()}:{int(time.time())}"


@dataclass
class Worker:
    """Runs trials of one study in this process."""

    study: SharedStudy
    data: SearchData
    settings: Settings
    name: str = field(default_factory=worker_name)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.claims = Claims(self.study, self.name)
        self._waiting_for: Paused | Busy | None = None

    def install_signals(self) -> None:
        """Drain on the first SIGTERM or SIGINT, end at once on the second."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.stop.is_set():
            os._exit(INTERRUPTED_TWICE)
        log.info("%s: draining; once more ends at once", signal.Signals(number).name)
        self.stop.set()

    def run(self) -> None:
        """Claim and run trials until the study is finished or the worker is drained."""
        log.info("worker %s joins study %s", self.name, self.study.name)
        while not self.stop.is_set():
            try:
                if not self._step():
                    return
            except Interrupted as error:
                log.info("stopped while %s", error)
                return

    def _step(self) -> bool:
        """Recover, claim, and run one trial or wait; False when the study is finished."""
        patiently(self._recover, "looking for stale trials", self.stop)
        found = self.claims.claim(self.stop)
        if isinstance(found, Claim):
            self._run(found)
            return True
        if isinstance(found, Finished):
            for family in found.exhausted:
                log.info("%s: every configuration has been tried; its budget closes", family)
            log.info("study %s is finished", self.study.name)
            return False
        self._wait(found)
        return True

    def _recover(self) -> None:
        recover_stale_trials(
            self.study.storage,
            self.study.study_id,
            grace_seconds=self.settings.grace_seconds,
            max_attempts=self.settings.max_attempts,
        )

    def _wait(self, found: Paused | Busy) -> None:
        # Said once per reason, not once per poll.
        if found != self._waiting_for:
            self._waiting_for = found
            if isinstance(found, Paused):
                log.info("study is paused (%s); waiting", found.reason)
            else:
                log.info("nothing to claim while trials of other workers are unfinished; waiting")
        self.stop.wait(POLL_SECONDS)

    def _run(self, claim: Claim) -> None:
        self._waiting_for = None
        settings = ", ".join(f"{name}={value}" for name, value in claim.params.items())
        log.info(
            "trial %d: %s %s (attempt %d)", claim.number, claim.family, settings, claim.attempt
        )
        lease = Lease(
            self.study.storage, claim.trial_id, self.name, self.settings.heartbeat_seconds
        )
        with lease:
            try:
                TrialRun(self, claim, lease).run()
            except LeaseLostError:
                log.warning(
                    "trial %d: lease lost, a peer has taken it over; result discarded", claim.number
                )

    def pause_if_failing(self) -> None:
        """Pause the study when its latest trials have all failed: the fault is not in a trial."""
        failures = patiently(
            lambda: self.study.storage.failures_in_a_row(self.study.study_id),
            "counting failures",
            self.stop,
        )
        if failures < FAILURES_BEFORE_PAUSE:
            return
        reason = f"{failures} trials in a row failed; see their reason, then resume the study"
        log.error("study %s is paused: %s", self.study.name, reason)
        patiently(
            lambda: pause(self.study.storage, self.study.study_id, reason), "pausing", self.stop
        )


class TrialRun:
    """One attempt at one trial, from its checkpoint or from the start, to whatever ends it."""

    def __init__(self, worker: Worker, claim: Claim, lease: Lease) -> None:
        self._worker = worker
        self._claim = claim
        self._lease = lease
        self._checkpoint = Checkpoint(
            worker.settings.home, worker.study.name, worker.study.fingerprint, claim.config_hash
        )
        self._saved = time.monotonic()

    def run(self) -> None:
        """Train to an ending and tell it.

        Raises:
            LeaseLostError: A peer has taken the trial over.
            Interrupted: The worker was told to stop while the database was away.
        """
        trial = None
        try:
            trial = self._start()
            self._train(trial)
        except NonFiniteLoss as error:
            # The same seeds give the same loss again: another attempt would be wasted.
            self._fail(str(error), retry=False)
        except LeaseLostError:
            raise
        except Interrupted:
            # The queue could not be told; whoever recovers the trial need not start afresh.
            if trial is not None:
                self._checkpoint.save(trial.state())
            raise
        except Exception as error:
            log.exception("trial %d failed", self._claim.number)
            again = self._claim.attempt < self._worker.settings.max_attempts
            self._fail(f"{type(error).__name__}: {error}".splitlines()[0], retry=again)
        finally:
            if trial is not None:
                trial.close()

    def _start(self) -> CrossValidation:
        study = self._worker.study
        trial = CrossValidation(
            study.spec, self._claim.family, self._claim.config, self._worker.data
        )
        arrays = self._checkpoint.load()
        if arrays is not None:
            trial.restore(arrays)
            log.info("trial %d: goes on from epoch %d", self._claim.number, trial.epoch)
            self._lease.report(trial.reports())
        return trial

    def _train(self, trial: CrossValidation) -> None:
        while not trial.finished:
            if self._worker.stop.is_set():
                self._drain(trial)
                return
            trial.advance()
            reached = self._lease.report({trial.epoch: trial.score})
            log.info(
                "trial %d: epoch %d/%d score %.4f",
                self._claim.number,
                trial.epoch,
                self._worker.study.spec.training.epochs,
                trial.score,
            )
            if reached and not trial.finished and self._prune(trial):
                self._end(TrialState.PRUNED, trial, {"reason": f"pruned after epoch {trial.epoch}"})
                return
            self._save_now_and_then(trial)
        self._end(TrialState.COMPLETE, trial, {})

    def _prune(self, trial: CrossValidation) -> bool:
        claims = self._worker.claims
        try:
            return should_prune(claims.pruner, claims.views[self._claim.family], trial.reports())
        except ERRORS as error:
            if not transient(error):
                raise
            return False

    def _save_now_and_then(self, trial: CrossValidation) -> None:
        if time.monotonic() - self._saved >= CHECKPOINT_SECONDS:
            self._checkpoint.save(trial.state())
            self._saved = time.monotonic()

    def _drain(self, trial: CrossValidation) -> None:
        if trial.epoch:
            self._checkpoint.save(trial.state())
        self._lease.put_back(self._hurry())
        log.info("trial %d: back in the queue after epoch %d", self._claim.number, trial.epoch)

    def _end(self, state: TrialState, trial: CrossValidation, extra: Mapping[str, object]) -> None:
        attributes = {**trial.results().attributes(), **extra}
        self._lease.end(state, trial.score, attributes, self._hurry())
        self._checkpoint.discard()
        log.info("trial %d: %s, score %.4f", self._claim.number, state.name, trial.score)

    def _fail(self, reason: str, *, retry: bool) -> None:
        attributes = {"reason": reason, "failure": "error"}
        self._lease.fail(attributes, retry=retry, hurry=self._hurry())
        self._checkpoint.discard()
        log.warning(
            "trial %d: FAIL, %s%s",
            self._claim.number,
            reason,
            "; its configuration is queued again" if retry else "",
        )
        self._worker.pause_if_failing()

    def _hurry(self) -> threading.Event:
        return self._worker.stop
