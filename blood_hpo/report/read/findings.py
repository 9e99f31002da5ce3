"""Everything a report is written from, read from the database once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from blood_hpo.database.failures import database_errors
from blood_hpo.database.record import Json, TrialRecord, read_trials
from blood_hpo.database.statements import statement
from blood_hpo.report.read.candidates import Confirmation, read_confirmation
from blood_hpo.report.read.final_stage import FinalStage, read_final
from blood_hpo.report.read.grids import Grid, StagedGrid, read_grids, read_staged
from blood_hpo.report.read.search_study import Study, read_study
from blood_hpo.stages import stage_names

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

STUDIES = "studies"
"""Folder of the study files beside the page."""

SMALL_SHARE, FEW_EPOCHS = 0.4, 20
"""A study whose search sees less of the images than the original's, or whose winners are retrained
for fewer epochs, shows that everything works and not how well these networks do."""


@dataclass(frozen=True)
class Winner:
    """The trial that found a family's best configuration.

    It is confirmed where it was chosen by its mean on fresh folds, not by the search's score.
    """

    trial: TrialRecord
    confirmed: bool


class Cost(NamedTuple):
    """What the ended trials of a study cost, summed over folds and trials, as ``hpo.cost`` says."""

    study: str
    trials: int
    failed: int
    epochs: int
    seconds: float


@dataclass(frozen=True)
class Findings:
    """All of it; what has not happened yet is None or missing from its mapping.

    Attributes:
        grids: The plain grid study whose effects are shown, by family.
        staged: The staged grid, the study itself or one beside it.
        stages: All trials of the confirmation and of the retraining, by the name of the study.
        costs: What each of these studies, and the grids, cost, by the name of the study.
        repeats_avoided: Samples that the search threw away because they had been tried.
        early_scores: Epoch and score of each trial of the search at the last epoch that all trials
            of its family reached, by number.
        paused: Those of the study and its stages that are paused, by name.
    """

    study: Study
    winners: Mapping[str, Winner]
    grids: Mapping[str, Grid]
    confirmation: Confirmation | None
    final: FinalStage | None
    staged: StagedGrid | None = None
    stages: Mapping[str, tuple[TrialRecord, ...]] = field(default_factory=dict)
    costs: Mapping[str, Cost] = field(default_factory=dict)
    repeats_avoided: int = 0
    early_scores: Mapping[int, tuple[int, float]] = field(default_factory=dict)
    paused: tuple[str, ...] = ()

    @property
    def tested(self) -> FinalStage | None:
        """The final stage once it has a tested model."""
        return self.final if self.final and self.final.models else None

    @property
    def next_command(self) -> str:
        """What goes on with the search, or after it with the stages that follow."""
        first = [f"study resume {one}" for one in self.paused]
        then = f"{'worker' if self.study.remaining else 'final'} {self.study.name}"
        return " && ".join(f"blood-hpo {one}" for one in [*first, then])

    @property
    def study_files(self) -> dict[str, Json]:
        """The stored files of the study and the grids around it, by name, in the order to run."""
        grids = {one.study: one.spec for one in self.grids.values() if one.around}
        return {self.study.name: self.study.spec, **grids}

    @property
    def small(self) -> str:
        """What makes this a small study, in words; empty if it is none."""
        share, after = self.study.spec["data"]["fraction"], self.study.spec["final"] or {}
        epochs = after.get("epochs", FEW_EPOCHS)
        reasons = {
            f"its search saw {100 * share:.3g} % of the training images": share < SMALL_SHARE,
            f"its winners are retrained for at most {epochs} epochs": epochs < FEW_EPOCHS,
        }
        return " and ".join(reason for reason, true in reasons.items() if true)


def read(engine: "Engine", name: str) -> Findings:
    """Read a study, its stages, and the grid studies that go with it.

    Raises:
        StudyError: There is no such study.
        BloodHpoError: A saved artefact is missing or damaged.
        DatabaseError: The database cannot be reached.
    """
    with database_errors(engine.url), engine.connect() as connection:
        # One moment of a study that goes on: its trials, their ranks and its totals fit together.
        connection.execution_options(isolation_level="REPEATABLE READ")
        study = read_study(connection, name)
        winners = _winners(connection, study)
        configurations = {family: one.trial.config for family, one in winners.items()}
        grids = read_grids(connection, study, configurations)
        studies = [name, *stage_names(name), *(one.study for one in grids.values())]
        costs = connection.execute(statement("study_costs"), {"studies": studies}).mappings()
        early = connection.execute(statement("early_scores"), {"study": name})
        paused = connection.execute(statement("paused"), {"names": [name, *stage_names(name)]})
        return Findings(
            study=study,
            winners=winners,
            grids=grids,
            confirmation=read_confirmation(connection, name),
            final=read_final(connection, name),
            staged=read_staged(connection, study),
            stages={one: read_trials(connection, one) for one in stage_names(name)},
            costs={one["study"]: Cost(**one) for one in costs},
            repeats_avoided=sum(one.repeats_avoided for one in study.trials if one.attempt == 1),
            early_scores={row.number: (row.epoch, row.score) for row in early},
            paused=tuple(row.name for row in paused if row.reason),
        )


def _winners(connection: "Connection", study: Study) -> dict[str, Winner]:
    trials = {one.number: one for one in study.trials}
    best = {row.family: row for row in connection.execute(statement("best"), {"study": study.name})}
    return {one: Winner(trials[best[one].number], best[one].confirmed) for one in study.places}
