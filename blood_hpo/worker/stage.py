"""What a worker can be given to do: a stage of a study, with trials to claim, run and end.

Search, confirmation and retraining differ in which trial comes next, how one is trained and what it
leaves behind; claims, leases, checkpoints, retries and recovery are the worker's, the same for all.
"""

from collections.abc import Callable
from typing import Protocol

from blood_hpo.database.record import TrialRecord
from blood_hpo.models.configuration import Configuration
from blood_hpo.store.outage import Waiting
from blood_hpo.store.results import Ending
from blood_hpo.store.studies import SharedStudy
from blood_hpo.training.fold_result import Arrays
from blood_hpo.worker.claims import Found

OpenTest = Callable[[], None]
"""Notes that the test split is opened for a trial's model; raises where the plan has changed."""


def configuration_of(trial: TrialRecord) -> Configuration:
    """What a trial trains."""
    return Configuration.of(trial.family, trial.config)


class Run(Protocol):
    """A trial in training, for so many epochs at most."""

    epochs: int

    @property
    def epoch(self) -> int:
        """Completed epochs."""

    @property
    def finished(self) -> bool:
        """Whether training is over."""

    def advance(self) -> None:
        """Train one more epoch."""

    def reports(self) -> dict[int, float]:
        """The value reported after each epoch so far, epochs counted from 1."""

    def state(self) -> Arrays:
        """Everything needed to go on in another process."""

    def restore(self, arrays: Arrays) -> None:
        """Go on from a `state`."""

    def close(self) -> None:
        """Free the memory."""


class Stage(Protocol):
    """The trials of one study in the database, and the name of the worker that claims them."""

    study: SharedStudy
    worker: str

    def claim(self, stop: Waiting) -> Found:
        """Take the next trial, waiting for the database if it is away."""

    def start(self, claim: TrialRecord) -> Run:
        """Begin a trial, before its first epoch."""

    def should_prune(self, claim: TrialRecord, run: Run) -> bool:
        """Whether the trial is hopeless."""

    def end(self, claim: TrialRecord, run: Run, open_test: OpenTest) -> Ending:
        """What a trial that trains no more leaves behind."""
