"""Everything a report is written from, read from the database once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from blood_hpo.report.confirmed import Confirmation, read_confirmation
from blood_hpo.report.record import (
    Curve,
    Json,
    Study,
    Trial,
    grid_studies,
    read_curves,
    read_early_scores,
    read_repeats_avoided,
    read_study,
    read_trials,
)
from blood_hpo.report.tested import FinalStage, read_final

if TYPE_CHECKING:
    from sqlalchemy import Engine

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
    trials: tuple[Trial, ...]

    @property
    def begun(self) -> bool:
        """Whether it has something to show."""
        return any(one.state == "COMPLETE" for one in self.trials)


@dataclass(frozen=True)
class Winner:
    """The best configuration of a family.

    Attributes:
        trial: The trial that found it.
        confirmed: Whether it was chosen by its mean on fresh folds, not by the search's score.
        curves: Its training, one curve a fold.
    """

    trial: Trial
    confirmed: bool
    curves: tuple[Curve, ...]


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
        repeats_avoided: Samples that the search threw away because they had been tried; None where
            they were not counted.
        early_scores: Epoch and score of each trial of the search at the last epoch that all trials
            of its family reached, by number.
    """

    study: Study
    winners: Mapping[str, Winner]
    grids: Mapping[str, Grid]
    confirmation: Confirmation | None
    final: FinalStage | None
    stages: Mapping[str, tuple[Trial, ...]] = field(default_factory=dict)
    repeats_avoided: int | None = None
    early_scores: Mapping[int, tuple[int, float]] = field(default_factory=dict)


def read(engine: "Engine", name: str) -> Findings:
    """Read a study, its stages, and the grid studies that go with it.

    Raises:
        StudyError: There is no such study.
        BloodHpoError: A saved artefact is missing or damaged.
        DatabaseError: The database cannot be reached.
    """
    study = read_study(engine, name)
    confirmation = read_confirmation(engine, name)
    winners = _winners(engine, study, confirmation)
    return Findings(
        study=study,
        winners=winners,
        grids=_grids(engine, study, winners),
        confirmation=confirmation,
        final=read_final(engine, name),
        stages={stage: read_trials(engine, f"{name}-{stage}") for stage in ("confirm", "final")},
        repeats_avoided=read_repeats_avoided(engine, name),
        early_scores=read_early_scores(engine, name),
    )


def _winners(
    engine: "Engine", study: Study, confirmation: Confirmation | None
) -> dict[str, Winner]:
    confirmed = confirmation.families if confirmation else {}
    found = {}
    for family in study.families:
        board = study.leaderboard(family)
        chosen = (
            [one for one in board if one.number == confirmed[family][0].trial]
            if family in (confirmed)
            else board[:1]
        )
        for trial in chosen:
            curves = tuple(read_curves(engine, study.name, trial.number))
            found[family] = Winner(trial, family in confirmed, curves)
    return found


def _grids(engine: "Engine", study: Study, winners: Mapping[str, Winner]) -> dict[str, Grid]:
    """For each family the grid around this study's winner, or else one around something else."""
    specs = grid_studies(engine, str(study.data["sha256"]))
    found = {}
    for family, names in EFFECTS.items():
        grids = [
            _grid(engine, study, winners.get(family), family, name, spec)
            for name, spec in specs.items()
            if family in spec["families"] and _searched(spec, family) == names
        ]
        if grids:
            found[family] = max(grids, key=lambda one: (one.begun, one.around_winner, one.around))
    return found


def _searched(spec: Json, family: str) -> set[str]:
    return {*(spec.get("space") or {}), *spec["families"][family]["space"]}


def _grid(  # noqa: PLR0913, PLR0917 - which grid, and what it is held against
    engine: "Engine", study: Study, winner: Winner | None, family: str, name: str, spec: Json
) -> Grid:
    own = spec["families"][family]
    around = own["fixed_from"] == study.name or name == study.name
    config = (winner.trial.config or {}) if winner else {}
    same = all(config.get(key) == value for key, value in own["fixed"].items())
    trials = tuple(one for one in read_trials(engine, name) if one.family == family)
    return Grid(name, around, around and winner is not None and same, spec, trials)
