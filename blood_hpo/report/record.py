"""What the database holds about a study, read once into plain values.

The study file is read as the JSON it is stored as: its schema lives with the models, which a report
must do without.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from blood_hpo.database.query import run_query
from blood_hpo.errors import StudyError

if TYPE_CHECKING:
    from sqlalchemy import Engine

Json = Mapping[str, Any]

FAMILY_NAMES = {"mlp": "MLP", "cnn": "CNN", "resnet": "ResNet"}
FAMILY_ORDER = tuple(FAMILY_NAMES)
SPENT = ("COMPLETE", "PRUNED")


def family_name(family: str) -> str:
    """How a family is written for people."""
    return FAMILY_NAMES.get(family, family)


def family_place(family: str) -> tuple[int, str]:
    """Sort key: the families in the order of the original report, others after them by name."""
    known = FAMILY_ORDER.index(family) if family in FAMILY_NAMES else len(FAMILY_ORDER)
    return known, family


@dataclass(frozen=True)
class Trial:
    """One trial of a search; what it has not got to is None.

    Attributes:
        number: Number in the study.
        family: Model family.
        state: COMPLETE, PRUNED, FAIL, RUNNING or WAITING.
        score: Mean of the objective over the held-out folds.
        epochs_trained: Summed over the folds.
        seconds: Wall time of this attempt.
        parameter_count: Trainable parameters.
        fold_scores: The objective on each held-out fold.
        fold_epochs: Epochs that each fold was trained for.
        fold_best_epochs: The epoch that each fold restored, from 1.
        params: What was searched.
        config: The whole configuration.
        config_hash: Identity of family and configuration.
        seed: Seed of the training.
        attempt: From 1.
        retry_of: Number of the first attempt, where this is a later one.
        worker: Host, process and start of the worker.
        reason: Why it was pruned or failed.
        started_at: When training began.
        finished_at: When the trial ended.
    """

    number: int
    family: str
    state: str
    score: float | None
    epochs_trained: int | None
    seconds: float | None
    parameter_count: int | None
    fold_scores: Sequence[float] | None
    fold_epochs: Sequence[int] | None
    fold_best_epochs: Sequence[int] | None
    params: Json | None
    config: Json | None
    config_hash: str | None
    seed: int | None
    attempt: int | None
    retry_of: int | None
    worker: str | None
    reason: str | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Curve:
    """One fold's or one run's training, one value an epoch; empty where nothing was recorded."""

    train_loss: tuple[float, ...]
    validation: tuple[float, ...]
    score: tuple[float, ...] = ()
    train_accuracy: tuple[float, ...] = ()
    validation_loss: tuple[float, ...] = ()


@dataclass(frozen=True)
class Study:
    """A search and what the database knows about it.

    Attributes:
        name: Name of the study.
        spec: The study file, resolved.
        data: Label, origin, checksums, and whether it is official or synthetic.
        fingerprint: What two studies must share for their scores to be comparable.
        program_version: Version of the program that created the study.
        trials: In the order of their numbers.
    """

    name: str
    spec: Json
    data: Json
    fingerprint: str
    program_version: str
    trials: tuple[Trial, ...]

    @property
    def families(self) -> list[str]:
        """The searched families in the order of the original report."""
        return sorted(self.spec["families"], key=family_place)

    @property
    def synthetic(self) -> bool:
        """Whether the images are drawn: such results say nothing about blood cells."""
        return bool(self.data["synthetic"])

    @property
    def objective(self) -> str:
        """What was maximised, for people."""
        return str(self.spec["objective"]).replace("_", " ").replace("auc", "AUC")

    def of(self, family: str, *states: str) -> list[Trial]:
        """A family's trials in some states (all of them if none are given), by number."""
        return [
            one
            for one in self.trials
            if one.family == family and (not states or one.state in states)
        ]

    def leaderboard(self, family: str) -> list[Trial]:
        """A family's complete trials, the best first; the earlier of equals comes first."""
        complete = [one for one in self.of(family, "COMPLETE") if one.score is not None]
        return sorted(complete, key=lambda one: (-(one.score or -math.inf), one.number))

    def space(self, family: str) -> dict[str, Any]:
        """What a family searches: choices as a list, ranges as a mapping with low and high."""
        shared = self.spec.get("space") or {}
        return {**shared, **self.spec["families"][family]["space"]}

    def budget(self, family: str) -> int:
        """Trials that a family may spend."""
        return int(self.spec["families"][family]["budget"] or 0)


def read_study(engine: "Engine", name: str) -> Study:
    """Read a study with all its trials.

    Raises:
        StudyError: There is no study of that name, or it is a stage of another one.
        DatabaseError: The database cannot be reached.
    """
    noted = attributes(engine, name)
    if not noted:
        raise StudyError(
            f"there is no study {name!r}; `blood-hpo study list` shows those that exist"
        )
    if noted.get("stage_of"):
        raise StudyError(
            f"study {name!r} is a stage of {noted['stage_of']!r};"
            f" run `blood-hpo report {noted['stage_of']}`"
        )
    return Study(
        name=name,
        spec=noted["spec"],
        data=noted["data"],
        fingerprint=noted["fingerprint"],
        program_version=noted["program_version"],
        trials=read_trials(engine, name),
    )


def attributes(engine: "Engine", study: str) -> dict[str, Any]:
    """What a study has noted about itself; nothing if there is no such study."""
    found = run_query(engine, "attributes", study=study)
    return {str(name): value for name, value in found.rows}


def read_trials(engine: "Engine", study: str) -> tuple[Trial, ...]:
    """All trials of a study by number."""
    found = run_query(engine, "trial_records", study=study)
    values: list[dict[str, Any]] = [
        dict(zip(found.columns, row, strict=True)) for row in found.rows
    ]
    return tuple(Trial(**row) for row in values)


def read_repeats_avoided(engine: "Engine", study: str) -> int | None:
    """How many samples a search threw away because they had been tried; None if not counted."""
    ((found,),) = run_query(engine, "repeats_avoided", study=study).rows
    return None if found is None else int(str(found))


def read_early_scores(engine: "Engine", study: str) -> dict[int, tuple[int, float]]:
    """Epoch and score of each trial at the last epoch that all of its family reached, by number."""
    rows: list[Any] = run_query(engine, "early_scores", study=study).rows
    return {number: (epoch, score) for number, epoch, score in rows}


def read_curves(engine: "Engine", study: str, number: int) -> list[Curve]:
    """A trial's training, one curve a fold."""
    rows: list[Any] = run_query(engine, "curves", study=study, number=number).rows
    folds = sorted({row[0] for row in rows})
    return [_curve([row for row in rows if row[0] == fold]) for fold in folds]


def _curve(rows: Sequence[Sequence[Any]]) -> Curve:
    columns = list(zip(*rows, strict=True))[2:]
    loss, validation, score = (tuple(map(_number, column)) for column in columns)
    return Curve(loss, validation, score)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def grid_studies(engine: "Engine", data_sha256: str) -> dict[str, Json]:
    """The study files of all plain grids on the same data set, by name; no stages of others."""
    found = run_query(engine, "study_files")
    rows: list[dict[str, Any]] = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    stages = {f"{row['study']}-{stage}" for row in rows for stage in ("confirm", "final")}
    return {
        row["study"]: row["spec"]
        for row in rows
        if row["study"] not in stages
        and row["spec"]
        and row["data"]
        and row["data"]["sha256"] == data_sha256
        and row["spec"]["sampler"]["name"] == "grid"
    }
