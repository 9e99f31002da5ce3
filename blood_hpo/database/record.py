"""A trial as the database holds it: the one class between its columns and the program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from blood_hpo.database.statements import statement

Json = Mapping[str, Any]


@dataclass(frozen=True)
class TrialRecord:
    """One row of ``hpo.trials``, whose columns ``views/words.toml`` describes.

    What a trial has not got to, or does not have, is None.
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
    program: str | None
    processor: str | None
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


def read_trial(connection: Connection, study: str, number: int) -> TrialRecord | None:
    """One trial of a study, or None if there is none of that number."""
    return next(iter(read_trials(connection, study, number)), None)


def read_trials(
    connection: Connection, study: str, number: int | None = None
) -> tuple[TrialRecord, ...]:
    """All trials of a study by number, or the one of a number; none if there is no such study."""
    wanted = {"study": study, "number": number}
    found = connection.execute(statement("trial_records"), wanted).mappings()
    names = [one.name for one in fields(TrialRecord)]
    return tuple(TrialRecord(*(row[name] for name in names)) for row in found)
