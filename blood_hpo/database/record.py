"""A trial as the database holds it: the one class between its columns and the program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from blood_hpo.database.statements import statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

Json = Mapping[str, Any]


@dataclass(frozen=True)
class TrialRecord:
    """One row of ``hpo.trials``; what a trial has not got to, or does not have, is None.

    Attributes:
        trial_id: Optuna's key of the trial.
        study: Name of the study.
        number: Number in the study, from 0.
        family: Model family.
        state: WAITING, RUNNING, COMPLETE, PRUNED or FAIL.
        score: Mean of the objective over the held-out folds.
        epoch: Last epoch that was reported, from 1.
        epochs: Epochs trained, summed over the folds.
        seconds: Wall time of this attempt.
        parameter_count: Trainable parameters.
        fold_scores: The objective on each held-out fold.
        fold_epochs: Epochs that each fold was trained for.
        fold_best_epochs: The epoch that each fold restored, from 1.
        params: What was searched.
        config: The whole configuration.
        config_hash: Identity of family and configuration.
        replicate: Number of the training of its configuration, from 1: a split, or a seed.
        seed: Seed of the training.
        in_force: Whether it holds a place of the budget, or of the plan of a stage.
        attempt: From 1.
        retry_of: Number of the attempt before, where this is a later one.
        repeats_avoided: Samples drawn before its configuration that had been tried.
        worker: Host, process and start of the worker.
        failure: "error" or "lost" where it failed.
        reason: Why it was pruned or failed.
        source_number: Of a stage: number of the search's trial that found the configuration.
        recipe: Of the final stage: where the configuration is from.
        most_epochs: Of the final stage: most epochs of the training.
        patience: Of the final stage: epochs without a better score after which it ends.
        start_epoch: Of the final stage: epoch from which on that counts.
        started_at: When training began.
        finished_at: When the trial ended.
    """

    trial_id: int
    study: str
    number: int
    family: str
    state: str
    score: float | None
    epoch: int | None
    epochs: int | None
    seconds: float | None
    parameter_count: int | None
    fold_scores: Sequence[float] | None
    fold_epochs: Sequence[int] | None
    fold_best_epochs: Sequence[int] | None
    params: Json
    config: Json
    config_hash: str
    replicate: int
    seed: int
    in_force: bool
    attempt: int
    retry_of: int | None
    repeats_avoided: int
    worker: str | None
    failure: str | None
    reason: str | None
    source_number: int | None
    recipe: str | None
    most_epochs: int | None
    patience: int | None
    start_epoch: int | None
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def identity(self) -> str:
        """Equal for attempts at the same training, distinct for distinct ones of a study."""
        return f"{self.config_hash}-{self.seed}"


def read_trials(connection: "Connection", study: str) -> tuple[TrialRecord, ...]:
    """All trials of a study by number; none if there is no such study."""
    found = connection.execute(statement("trial_records"), {"study": study})
    return tuple(TrialRecord(**row) for row in found.mappings())


def read_trial(connection: "Connection", study: str, number: int) -> TrialRecord | None:
    """One trial of a study, or None if there is none of that number."""
    wanted = {"study": study, "number": number}
    row = connection.execute(statement("trial_record"), wanted).mappings().one_or_none()
    return TrialRecord(**row) if row else None
