"""One attempt at one trial: trained from its checkpoint or from the start, to whatever ends it."""

import logging
import math
import time
from dataclasses import dataclass, replace
from functools import partial

from optuna.trial import TrialState

from blood_hpo.database.record import TrialRecord
from blood_hpo.errors import BloodHpoError, NonFiniteLoss
from blood_hpo.settings import Settings
from blood_hpo.store.outage import Interrupted, unless_away
from blood_hpo.worker.checkpoint import Checkpoint
from blood_hpo.worker.lease import Lease, LeaseLostError
from blood_hpo.worker.shutdown import Shutdown
from blood_hpo.worker.stage import Run, Stage

log = logging.getLogger(__name__)

EXPECTED = (BloodHpoError, MemoryError, OSError)  # all others are logged with their traceback


@dataclass
class Attempt:
    """One attempt at a trial: the stage trains it, the lease tells the database of it."""

    stage: Stage
    claim: TrialRecord
    lease: Lease
    settings: Settings
    shutdown: Shutdown

    def __post_init__(self) -> None:
        self._checkpoint = Checkpoint(self.settings.home, self.stage.study, self.claim.identity)
        self._saved = time.monotonic()

    def run(self) -> bool:
        """Train to an ending and tell it; False if that is a failure.

        Raises:
            LeaseLostError: A peer has taken the trial over.
            Interrupted: The worker was told to stop while the database was away.
        """
        try:
            self._run()
        except (LeaseLostError, Interrupted):
            raise
        except (NonFiniteLoss, FloatingPointError) as error:
            # The same seeds give the same again: another attempt would be wasted.
            self._fail(str(error), retry=False)
        except Exception as error:
            if not isinstance(error, EXPECTED):
                log.exception("trial %d failed", self.claim.number)
            self._fail(_reason(error), retry=self.settings.attempts_left(self.claim.attempt) > 0)
        else:
            return True
        return False

    def _run(self) -> None:
        run = self.stage.start(self.claim)
        try:
            self._resume(run)
            self._train(run)
        except Interrupted:
            # The queue could not be told; whoever recovers the trial need not start afresh.
            self._checkpoint.save(run.state())
            raise
        finally:
            run.close()

    def _resume(self, run: Run) -> None:
        arrays = self._checkpoint.load()
        if arrays is not None:
            try:
                run.restore(arrays)
            except Exception:
                self._checkpoint.discard()  # or the next attempt would stumble over it as well
                raise
            log.info("trial %d: goes on from epoch %d", self.claim.number, run.epoch)
            self.lease.report(run.reports())

    def _train(self, run: Run) -> None:
        while not run.finished:
            if self.shutdown.requested or self.lease.stopped:
                self._put_back(run)
                return
            run.advance()
            hopeless = partial(self.stage.should_prune, self.claim, run)
            if self._report(run) and not run.finished and unless_away(hopeless, False):
                self._end(TrialState.PRUNED, run, f"pruned after epoch {run.epoch}")
                return
            if time.monotonic() - self._saved >= self.settings.checkpoint_seconds:
                self._checkpoint.save(run.state())
                self._saved = time.monotonic()
        self._end(TrialState.COMPLETE, run)

    def _report(self, run: Run) -> bool:
        number, epoch, score = self.claim.number, run.epoch, run.reports()[run.epoch]
        reached = self.lease.report({epoch: score})
        log.info("trial %d: epoch %d/%d score %.4f", number, epoch, run.epochs, score)
        return reached

    def _put_back(self, run: Run) -> None:
        if run.epoch:
            self._checkpoint.save(run.state())
        self.lease.put_back()
        log.info("trial %d: back in the queue after epoch %d", self.claim.number, run.epoch)

    def _end(self, state: TrialState, run: Run, reason: str | None = None) -> None:
        ending = replace(self.stage.end(self.claim, run, self.lease.open_test), reason=reason)
        if not math.isfinite(ending.value):
            raise FloatingPointError(f"the score is {ending.value}")
        self.lease.end(state, ending)
        self._checkpoint.discard()
        log.info("trial %d: %s, score %.4f", self.claim.number, state.name, ending.value)

    def _fail(self, reason: str, *, retry: bool) -> None:
        self.lease.fail(reason, retry=retry)
        if not retry:
            self._checkpoint.discard()
        then = "; its configuration is queued again" if retry else ""
        log.warning("trial %d: FAIL, %s%s", self.claim.number, reason, then)


def _reason(error: Exception) -> str:
    """The error in one line."""
    return (f"{type(error).__name__}: {error}".splitlines() or [""])[0].removesuffix(": ")
