"""Grid studies on the same data: plain ones around a winner, and the original's, stage by stage."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from blood_hpo.database.record import Json, TrialRecord, read_trials
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.report.read.importance import encoded
from blood_hpo.report.read.search_study import Study, family_place, searched, stored_file
from blood_hpo.version import __version__

if TYPE_CHECKING:
    from sqlalchemy import Connection

Trials = tuple[TrialRecord, ...]

EFFECTS = {"mlp": ("units",), "cnn": ("kernel_size", "filters")}
"""The hyperparameters whose effect is drawn, by family: those of the original's Figures 4 and 8."""


@dataclass(frozen=True)
class Grid:
    """A plain grid study over the hyperparameters whose effect is shown, in one family.

    It is `around` the study reported on if its fixed part comes from there, and `around_winner`
    if that is the fixed part of the study's winner.
    """

    study: str
    around: bool
    around_winner: bool
    spec: Json
    trials: tuple[TrialRecord, ...]

    @property
    def complete(self) -> tuple[TrialRecord, ...]:
        """Those that it has something to show of."""
        return tuple(one for one in self.trials if one.state == "COMPLETE" and one.fold_scores)


class Stage(NamedTuple):
    """What a stage of a staged grid compared: complete trials in the order of the study file.

    The next stage starts from the best one.
    """

    names: tuple[str, ...]
    trials: tuple[TrialRecord, ...]
    best: TrialRecord


@dataclass(frozen=True)
class StagedGrid:
    """A staged grid: its name, and by family the stages that have something to compare."""

    study: str
    families: Mapping[str, tuple[Stage, ...]]

    def __len__(self) -> int:
        return sum(len(stage.trials) for stages in self.families.values() for stage in stages)

    def effect(self, family: str) -> Stage | None:
        """The stage that measured the effect which is drawn for this family."""
        wanted = set(EFFECTS.get(family, ()))
        found = (one for one in self.families.get(family, ()) if set(one.names) == wanted)
        return next(found, None)


def read_grids(
    connection: "Connection", study: Study, winners: Mapping[str, Json]
) -> dict[str, Grid]:
    """By family the grid around a winner, a whole configuration, or one around something else."""
    known = _studies(connection, study, "grid")
    found = {}
    for family, names in EFFECTS.items():
        grids = [
            _grid(study, winners.get(family, {}), family, spec, trials)
            for spec, trials in known
            if family in spec["families"] and searched(spec, family).keys() == set(names)
        ]
        if grids:
            best = max(grids, key=lambda one: (bool(one.complete), one.around_winner, one.around))
            found[family] = best
    return found


def _grid(study: Study, winner: Json, family: str, spec: Json, trials: Trials) -> Grid:
    own, name = spec["families"][family], spec["name"]
    around = own["fixed_from"] == study.name or name == study.name
    same = bool(winner) and own["fixed"].items() <= winner.items()
    own_trials = tuple(one for one in trials if one.family == family)
    return Grid(name, around, around and same, spec, own_trials)


def read_staged(connection: "Connection", study: Study) -> StagedGrid | None:
    """The study itself if it is a staged grid, else the one on the same data that got furthest."""
    known = _studies(connection, study, "staged_grid")
    own = [one for one in known if one[0]["name"] == study.name]
    found = [staged(*one) for one in own or known]
    return max((one for one in found if one.families), key=len, default=None)


def staged(spec: Json, trials: Trials) -> StagedGrid:
    """The stages of a staged grid, from its study file and its trials."""
    found = {one: _stages(spec, one, trials) for one in sorted(spec["families"], key=family_place)}
    return StagedGrid(spec["name"], {one: stages for one, stages in found.items() if stages})


def _stages(spec: Json, family: str, trials: Trials) -> tuple[Stage, ...]:
    space, own = searched(spec, family), spec["families"][family]
    held, found = dict(own["start"] or {}), []
    own_trials = [one for one in trials if one.family == family and one.score is not None]
    done = [one for one in own_trials if one.state == "COMPLETE"]
    for names in own["stages"] or ():
        rest = {name: held.get(name) for name in space if name not in names}
        rows = [one for one in done if rest.items() <= one.params.items()]
        rows.sort(key=lambda one: [encoded(space[name], one.params[name]) for name in names])
        if rows:
            best = max(rows, key=lambda one: one.score or 0.0)  # the first of equal ones
            held = dict(best.params)
            found.append(Stage(tuple(names), tuple(rows), best))
    return tuple(takewhile(lambda one: len(one.trials) > 1, found))


def _studies(connection: "Connection", study: Study, sampler: str) -> list[tuple[Json, Trials]]:
    """Grids with the study's data, objective and, unless made around it, training: file, trials."""
    own, found = study.spec, []
    wanted = {"sha256": study.data["sha256"], "sampler": sampler, "objective": own["objective"]}
    for row in connection.execute(statement("grid_studies"), wanted).all():
        with suppress(StudyError):  # a damaged one is no reason to be silent on all others
            trials = read_trials(connection, row.study)
            spec = stored_file(row.study, row.spec, __version__, trials)
            share = spec["data"]["fraction"] == own["data"]["fraction"]
            around = study.name in [one["fixed_from"] for one in spec["families"].values()]
            if around or (share and spec["training"] == own["training"]):
                found.append((spec, trials))
    return found
