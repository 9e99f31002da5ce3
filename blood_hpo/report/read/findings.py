"""Everything a report is written from, read from the database once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from blood_hpo.database.failures import database_errors
from blood_hpo.database.record import Json, TrialRecord, read_trials
from blood_hpo.database.statements import statement
from blood_hpo.report.read.candidates import Confirmation, read_confirmation
from blood_hpo.report.read.final_stage import FinalStage, read_final
from blood_hpo.report.read.search_study import (
    Curve,
    Study,
    grid_studies,
    read_curves,
    read_early_scores,
    read_study,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

EFFECTS = {"mlp": {"units"}, "cnn": {"kernel_size", "filters"}}
"""The hyperparameters whose effect is shown, by family: those of the original report's figures."""


@dataclass(frozen=True)
class Grid:
    """A grid study over the hyperparameters whose effect is shown.

    Attributes:
        study: Its name.
        around: Whether its fixed part comes from the study reported on.
        around_winner: Whether it is that of the study's winner.
        spec: Its study file.
        trials: Its trials of the family.
    """

    study: str
    around: bool
    around_winner: bool
    spec: Json
    trials: tuple[TrialRecord, ...]

    @property
    def begun(self) -> bool:
        """Whether it has something to show."""
        return any(one.state == "COMPLETE" for one in self.trials)


@dataclass(frozen=True)
class Winner:
    """The best configuration of a family.

    Attributes:
        trial: The trial that found it.
        sd: Sample standard deviation of its score over the folds; None with one fold.
        confirmed: Whether it was chosen by its mean on fresh folds, not by the search's score.
        curves: Its training, one curve a fold.
    """

    trial: TrialRecord
    sd: float | None
    confirmed: bool
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Cost:
    """What the ended trials of a study cost, as ``hpo.cost`` has it.

    Attributes:
        study: Its name.
        trials: Complete, pruned and failed ones.
        failed: The failed ones of these.
        epochs: Summed over folds and trials.
        seconds: Wall time, summed over the trials.
    """

    study: str
    trials: int
    failed: int
    epochs: int
    seconds: float


@dataclass(frozen=True)
class Findings:
    """All of it; what has not happened yet is None or missing from its mapping.

    Attributes:
        study: The search.
        winners: The best configuration by family.
        grids: The grid study whose effects are shown, by family.
        confirmation: The outcome of the confirmation.
        final: The tested models.
        stages: All trials of the confirmation ("confirm") and of the retraining ("final").
        costs: What each of these studies, and the grids, cost, by the name of the study.
        repeats_avoided: Samples that the search threw away because they had been tried.
        early_scores: Epoch and score of each trial of the search at the last epoch that all trials
            of its family reached, by number.
    """

    study: Study
    winners: Mapping[str, Winner]
    grids: Mapping[str, Grid]
    confirmation: Confirmation | None
    final: FinalStage | None
    stages: Mapping[str, tuple[TrialRecord, ...]] = field(default_factory=dict)
    costs: Mapping[str, Cost] = field(default_factory=dict)
    repeats_avoided: int = 0
    early_scores: Mapping[int, tuple[int, float]] = field(default_factory=dict)

    @property
    def next_command(self) -> str:
        """What goes on with the search, or after it with the stages that follow."""
        return f"blood-hpo {'worker' if self.study.remaining else 'final'} {self.study.name}"


def read(engine: "Engine", name: str) -> Findings:
    """Read a study, its stages, and the grid studies that go with it.

    Raises:
        StudyError: There is no such study.
        BloodHpoError: A saved artefact is missing or damaged.
        DatabaseError: The database cannot be reached.
    """
    with database_errors(engine.url), engine.connect() as connection:
        return _read(connection, name)


def _read(connection: "Connection", name: str) -> Findings:
    study = read_study(connection, name)
    confirmation = read_confirmation(connection, name)
    winners = _winners(connection, study, confirmation)
    grids = _grids(connection, study, winners)
    stages = {stage: f"{name}-{stage}" for stage in ("confirm", "final")}
    studies = [name, *stages.values(), *(one.study for one in grids.values())]
    costs = connection.execute(statement("study_costs"), {"studies": studies}).mappings()
    return Findings(
        study=study,
        winners=winners,
        grids=grids,
        confirmation=confirmation,
        final=read_final(connection, name),
        stages={stage: read_trials(connection, own) for stage, own in stages.items()},
        costs={one["study"]: Cost(**one) for one in costs},
        repeats_avoided=connection.scalar(statement("repeats_avoided"), {"study": name}) or 0,
        early_scores=read_early_scores(connection, name),
    )


def _winners(
    connection: "Connection", study: Study, confirmation: Confirmation | None
) -> dict[str, Winner]:
    confirmed = confirmation.families if confirmation else {}
    found = {}
    for family in study.families:
        board = study.places.get(family, ())
        chosen = (
            [one for one in board if one.trial.number == confirmed[family][0].number]
            if family in confirmed
            else board[:1]
        )
        for one in chosen:
            curves = read_curves(connection, one.trial)
            found[family] = Winner(one.trial, one.sd, family in confirmed, curves)
    return found


def _grids(
    connection: "Connection", study: Study, winners: Mapping[str, Winner]
) -> dict[str, Grid]:
    """For each family the grid around this study's winner, or else one around something else."""
    specs = grid_studies(connection, str(study.data["sha256"]))
    found = {}
    for family, names in EFFECTS.items():
        grids = [
            _grid(connection, study, winners.get(family), family, name, spec)
            for name, spec in specs.items()
            if family in spec["families"] and _searched(spec, family) == names
        ]
        if grids:
            found[family] = max(grids, key=lambda one: (one.begun, one.around_winner, one.around))
    return found


def _searched(spec: Json, family: str) -> set[str]:
    return {*(spec.get("space") or {}), *spec["families"][family]["space"]}


def _grid(  # noqa: PLR0913, PLR0917 - which grid, and what it is held against
    connection: "Connection",
    study: Study,
    winner: Winner | None,
    family: str,
    name: str,
    spec: Json,
) -> Grid:
    own = spec["families"][family]
    around = own["fixed_from"] == study.name or name == study.name
    config = winner.trial.config if winner else {}
    same = all(config.get(key) == value for key, value in own["fixed"].items())
    trials = tuple(one for one in read_trials(connection, name) if one.family == family)
    return Grid(name, around, around and winner is not None and same, spec, trials)
