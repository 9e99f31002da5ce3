"""What a worker can be given to do: a stage of a study, with trials to claim, run and end.

Search, confirmation and retraining differ in which trial comes next, how one is trained and what it
leaves behind; claims, leases, checkpoints, retries and recovery are the worker's, the same for all.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from blood_hpo.database.record import TrialRecord
from blood_hpo.models.configuration import Configuration
from blood_hpo.store.outage import Waiting
from blood_hpo.store.results import Ending
from blood_hpo.store.studies import SharedStudy
from blood_hpo.worker.claims import Found

if TYPE_CHECKING:
    from blood_hpo.training.lock_step import LockStep

Run: TypeAlias = "LockStep"
"""A trial in training; TensorFlow is imported by the stages that train alone."""

OpenTest = Callable[[], None]
"""Notes that the test split is opened for a trial's model; raises where the plan has changed."""


def configuration_of(trial: TrialRecord) -> Configuration:
    """What a trial trains."""
    return Configuration.of(trial.family, trial.config)


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
