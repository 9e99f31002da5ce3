"""Trials that are known in advance: a list of cells, each trained once, by whoever is free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from blood_hpo.search.family import FAMILY
from blood_hpo.service.budget import (
    COUNTED,
    UNFINISHED,
    Busy,
    Claim,
    Finished,
    Paused,
    claim_trial,
)
from blood_hpo.service.outage import Waiting
from blood_hpo.service.studies import FORGIVEN, SharedStudy

REPLICATE = "replicate"
"""Trial user attribute that numbers the trials of one configuration, from 1."""


@dataclass(frozen=True)
class Cell:
    """One trial to be run.

    Attributes:
        family: Model family.
        config: The whole configuration.
        config_hash: Its identity.
        replicate: Number of the trial among those of its configuration, from 1.
        seed: Of the training; no two cells of a study share configuration and seed.
        params: What the dashboard shows, by name.
        distributions: Optuna's description of each of ``params``.
        attributes: User attributes besides.
    """

    family: str
    config: Mapping[str, object]
    config_hash: str
    replicate: int
    seed: int
    params: Mapping[str, object]
    distributions: Mapping[str, BaseDistribution]
    attributes: Mapping[str, object]

    @property
    def key(self) -> tuple[object, object]:
        """Equal for attempts at the same cell."""
        return self.config_hash, self.seed

    def template(self) -> FrozenTrial:
        """A running trial for this cell."""
        return create_trial(
            state=TrialState.RUNNING,
            params=dict(self.params),
            distributions=dict(self.distributions),
            user_attrs={
                **self.attributes,
                FAMILY: self.family,
                "config": dict(self.config),
                "config_hash": self.config_hash,
                REPLICATE: self.replicate,
                "seed": self.seed,
                "attempt": 1,
            },
        )


def key_of(trial: FrozenTrial) -> tuple[object, object]:
    """The key of the cell that a trial is for."""
    return trial.user_attrs.get("config_hash"), trial.user_attrs.get("seed")


class CellDecision:
    """Creates the first cell that no trial stands for.

    One that failed for good is not repeated, unless the study has been resumed since.
    """

    def __init__(self, study: SharedStudy, cells: Sequence[Cell]) -> None:
        self._study = study
        self._cells = cells
        self._unfinished = False
        self._failed: list[str] = []

    def __call__(self) -> FrozenTrial | None:
        """A template for the next cell, or None."""
        trials = self._study.cached.get_all_trials(self._study.study_id, deepcopy=False)
        self._unfinished = any(trial.state in UNFINISHED for trial in trials)
        noted = self._study.storage.get_study_user_attrs(self._study.study_id)
        forgiven = int(noted.get(FORGIVEN, 0))
        failed = {key_of(trial) for trial in trials if _failed(trial, forgiven)}
        counted = {key_of(trial) for trial in trials if trial.state in COUNTED}
        lost = failed - counted
        self._failed = [cell.family for cell in self._cells if cell.key in lost]
        taken = counted | failed
        return next((cell.template() for cell in self._cells if cell.key not in taken), None)

    def nothing(self) -> Busy | Finished:
        """Whether others still work on cells."""
        return Busy() if self._unfinished else Finished(tuple(dict.fromkeys(self._failed)))


def _failed(trial: FrozenTrial, forgiven: int) -> bool:
    return trial.number >= forgiven and bool(trial.user_attrs.get("final_failure"))


def claim_cell(
    study: SharedStudy, worker: str, cells: Sequence[Cell], stop: Waiting
) -> Claim | Paused | Busy | Finished:
    """Take the next of the cells, waiting for the database if it is away.

    Raises:
        Interrupted: ``stop`` said so while the database was away.
    """
    return claim_trial(study, worker, CellDecision(study, cells), stop)
