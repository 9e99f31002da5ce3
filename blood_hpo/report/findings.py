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
        spec: Its study file.
        trials: Its trials of the family.
    """

    study: str
    around: bool
    spec: Json
    trials: tuple[Trial, ...]


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
    """

    study: Study
    winners: Mapping[str, Winner]
    grids: Mapping[str, Grid]
    confirmation: Confirmation | None
    final: FinalStage | None
    stages: Mapping[str, tuple[Trial, ...]] = field(default_factory=dict)
    repeats_avoided: int | None = None


def read(engine: "Engine", name: str) -> Findings:
    """Read a study, its stages, and the grid studies that go with it.

    Raises:
        StudyError: There is no such study.
        BloodHpoError: A saved artefact is missing or damaged.
        DatabaseError: The database cannot be reached.
    """
    study = read_study(engine, name)
    confirmation = read_confirmation(engine, name)
    return Findings(
        study=study,
        winners=_winners(engine, study, confirmation),
        grids=_grids(engine, study),
        confirmation=confirmation,
        final=read_final(engine, name),
        stages={stage: read_trials(engine, f"{name}-{stage}") for stage in ("confirm", "final")},
        repeats_avoided=read_repeats_avoided(engine, name),
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


def _grids(engine: "Engine", study: Study) -> dict[str, Grid]:
    """For each family the grid around this study's best, or else one around something else."""
    specs = grid_studies(engine, str(study.data["sha256"]))
    found: dict[str, Grid] = {}
    for family, names in EFFECTS.items():
        for name, spec in specs.items():
            own = spec["families"].get(family)
            if own is None or {**(spec.get("space") or {}), **own["space"]}.keys() != names:
                continue
            around = own["fixed_from"] == study.name or name == study.name
            if around or family not in found:
                trials = tuple(one for one in read_trials(engine, name) if one.family == family)
                found[family] = Grid(name, around, spec, trials)
            if around:
                break
    return found
