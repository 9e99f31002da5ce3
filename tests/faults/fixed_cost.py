"""A worker process whose trials cost time but no training, so that faults can be many and quick.

It is the program's own worker from the signals to the checkpoints; only what a trial trains is
replaced, by a stage of its own. The score of a configuration follows from its hash, as it follows
from the seeds in real training.
"""

import contextlib
import errno
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blood_hpo.database.record import TrialRecord
from blood_hpo.errors import BloodHpoError, NonFiniteLoss
from blood_hpo.search.pruner import build_pruner, should_prune
from blood_hpo.settings import Settings
from blood_hpo.store.outage import Interrupted, Waiting, patiently
from blood_hpo.store.results import Ending, Results
from blood_hpo.store.studies import SharedStudy
from blood_hpo.training.fold_result import Arrays, FoldResult
from blood_hpo.worker.claims import Claims, Finished, Found
from blood_hpo.worker.join import join_study
from blood_hpo.worker.shutdown import Shutdown
from blood_hpo.worker.stage import OpenTest, Run
from blood_hpo.worker.worker import POLL_SECONDS, Worker, worker_name

from .cable import enter


@dataclass(frozen=True)
class Cost:
    """What a trial costs, and what goes wrong with some of them.

    Attributes:
        epoch_seconds: Time of an epoch.
        checkpoint_seconds: Least time between two checkpoints.
        bad_units: MLPs of this many units go wrong, all others are well.
        broken: All go wrong.
        fault: What happens to them: crash, memory, nan, killed, ending (the first attempt only).
        die_at_start: Whether the process is killed between its first claim and the first epoch.
        file_bytes: Size of a file that each trial leaves.
    """

    epoch_seconds: float = 0.05
    checkpoint_seconds: float = 0.0
    bad_units: int | None = None
    broken: bool = False
    fault: str = ""
    die_at_start: bool = False
    file_bytes: int = 0


def score(config_hash: str, epoch: int) -> float:
    """A learning curve between 0 and 1."""
    return int(config_hash[:6], 16) / 0xFFFFFF * (1 - 0.5**epoch)


class FixedCost:
    """A trial that waits."""

    def __init__(self, claim: TrialRecord, epochs: int, cost: Cost) -> None:
        self.epochs = epochs
        self.epoch = 0
        self._claim = claim
        self._cost = cost
        self._bad = cost.broken or claim.config["units"] == cost.bad_units

    @property
    def finished(self) -> bool:
        return self.epoch >= self.epochs

    def advance(self) -> None:
        logging.info("epoch %d begins", self.epoch + 1)
        threading.Event().wait(self._cost.epoch_seconds)
        if self._bad and self.epoch == 1:
            go_wrong(self._cost.fault)
        self.epoch += 1

    def reports(self) -> dict[int, float]:
        return {n: score(self._claim.config_hash, n) for n in range(1, self.epoch + 1)}

    def state(self) -> Arrays:
        return {"epoch": np.array(self.epoch)}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        self.epoch = int(arrays["epoch"])

    def close(self) -> None:
        self.epochs = 0


def go_wrong(fault: str) -> None:
    """Fail as a configuration can."""
    if fault == "crash":
        raise RuntimeError("the network does not fit\nand says so at length")
    if fault == "memory":
        np.ones(2**40)
    if fault == "nan":
        raise NonFiniteLoss(2)
    if fault == "killed":
        os.kill(os.getpid(), signal.SIGKILL)


class FixedCostStage:
    """The search, with trials of fixed cost."""

    def __init__(self, study: SharedStudy, worker: str, cost: Cost) -> None:
        self.study = study
        self.worker = worker
        self._cost = cost
        self._claims = Claims(study, worker)
        self._pruner = build_pruner(study.spec.pruner)

    def claim(self, stop: Waiting) -> Found:
        return self._claims.claim(stop)

    def start(self, claim: TrialRecord) -> Any:  # what a worker uses of a training, and no more
        if self._cost.die_at_start:
            os.kill(os.getpid(), signal.SIGKILL)
        return FixedCost(claim, self.study.spec.training.epochs, self._cost)

    def should_prune(self, claim: TrialRecord, run: Run) -> bool:
        return should_prune(self._pruner, self._claims.known(claim.family), run.reports())

    def end(self, claim: TrialRecord, run: Run, _open_test: OpenTest) -> Ending:
        assert isinstance(run, FixedCost)
        if self._cost.broken and self._cost.fault == "ending" and claim.attempt == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        curve = list(run.reports().values())
        fold = FoldResult(curve[-1], run.epoch, run.epoch, curve, curve, curve)
        files = {"noise.bin": os.urandom(self._cost.file_bytes)} if self._cost.file_bytes else {}
        return Ending(curve[-1], Results([fold], 1.0, 1000), files)


def work(  # noqa: PLR0913, PLR0917 - everything that crosses over to another process
    url: str,
    study: str,
    settings: Mapping[str, object],
    cost: Cost,
    log: Path,
    namespace: str | None = None,
) -> None:
    """Be a worker until the study is finished; the body of a process.

    Args:
        url: The database.
        study: Name of the study.
        settings: As from the environment.
        cost: What trials cost.
        log: Where everything is printed to.
        namespace: A network namespace to enter.
    """
    if namespace is not None:
        enter(namespace)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("optuna").setLevel(logging.ERROR)
    try:
        work_here(url, study, Settings.model_validate(settings), cost)
    except BloodHpoError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)


def work_here(url: str, name: str, settings: Settings, cost: Cost) -> None:
    """What ``blood-hpo worker`` does."""
    shutdown = Shutdown(settings.drain_seconds)
    shutdown.on_signals()
    with contextlib.suppress(Interrupted):
        study = join_study(url, name, grace_seconds=settings.grace_seconds, wait=shutdown.wait)
        name = worker_name()
        stage = patiently(lambda: FixedCostStage(study, name, cost), "preparing", shutdown.wait)
        often = settings.model_copy(update={"checkpoint_seconds": cost.checkpoint_seconds})
        take_turns(Worker(stage, often, shutdown))


def take_turns(worker: Worker) -> None:
    """Until the study is finished or the process asked to stop."""
    while not worker.shutdown.requested:
        found = worker.turn()
        if isinstance(found, Finished):
            return
        if not isinstance(found, TrialRecord):
            worker.shutdown.wait(POLL_SECONDS)


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), Cost(), Path(sys.argv[4]))
