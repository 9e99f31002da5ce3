"""What the database holds about a study, read once into plain values.

The study file is checked by its tables alone: what fits the models is known to the models, which a
report must do without.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from blood_hpo.database.query import unknown_study
from blood_hpo.database.record import Json, TrialRecord, read_trials
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.stages import SEARCH
from blood_hpo.studyfile.messages import stored_error
from blood_hpo.studyfile.tables import StudyTables

if TYPE_CHECKING:
    from sqlalchemy import Connection

FAMILY_NAMES = {"mlp": "MLP", "cnn": "CNN", "resnet": "ResNet"}


def family_name(family: str) -> str:
    """How a family is written for people."""
    return FAMILY_NAMES.get(family, family)


def family_place(family: str) -> tuple[int, str]:
    """Sort key: the families in the order of the original report, others after them by name."""
    order = [*FAMILY_NAMES, family]
    return order.index(family), family


class Curve(NamedTuple):
    """A retraining, one value an epoch; empty where nothing was recorded."""

    train_loss: Sequence[float]
    validation: Sequence[float]
    train_accuracy: Sequence[float] = ()
    validation_loss: Sequence[float] = ()


@dataclass(frozen=True)
class Totals:
    """How far a family is, and what pruning saved it, as ``hpo.progress`` and ``hpo.pruning`` say.

    Epochs and seconds are those of complete and pruned trials; `remaining` counts configurations.
    """

    family: str
    budget: int
    complete: int
    pruned: int
    failed: int
    unfinished: int
    remaining: int
    epochs: int
    seconds: float
    pruned_epochs: int
    saved_epochs: float
    saved_seconds: float


class Place(NamedTuple):
    """A complete trial with its rank in the family and the sample deviation of its folds."""

    trial: TrialRecord
    rank: int
    sd: float | None


@dataclass(frozen=True)
class Study:
    """A search and what the database knows about it.

    Attributes:
        spec: The study file, resolved.
        data: Label, origin, checksums, and whether it is official or synthetic.
        fingerprint: What two studies must share for their scores to be comparable.
        program_version: Of the program that created the study.
        trials: In the order of their numbers.
        places: The complete trials by family, the best first.
        collapsed: How many folds learnt nothing, by the number of the trial; no trial without.
    """

    name: str
    spec: Json
    data: Json
    fingerprint: str
    program_version: str
    trials: tuple[TrialRecord, ...]
    totals: Mapping[str, Totals]
    places: Mapping[str, tuple[Place, ...]]
    collapsed: Mapping[int, int]

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

    @property
    def workers(self) -> int:
        """Workers that have run a trial."""
        return len({one.worker for one in self.trials if one.worker})

    @property
    def remaining(self) -> int:
        """Configurations that the search is still to train."""
        return sum(one.remaining for one in self.totals.values())

    def spent(self, family: str) -> list[TrialRecord]:
        """A family's trials that count against its budget, by number."""
        own = [one for one in self.trials if one.family == family]
        return [one for one in own if one.state in ("COMPLETE", "PRUNED")]


def searched(spec: Json, family: str) -> dict[str, Any]:
    """What a family searches: choices as a list, ranges as a mapping with low and high."""
    return {**spec["space"], **spec["families"][family]["space"]}


def read_study(connection: "Connection", name: str) -> Study:
    """Read a study with all its trials; one that is missing, or is a stage, is a StudyError."""
    found = connection.execute(statement("study_record"), {"name": name}).one_or_none()
    if found is None or found.stage is None:
        raise unknown_study(connection.engine, name)
    if found.stage != SEARCH:
        raise StudyError(
            f"study {name!r} is a stage of {found.search!r}; run `blood-hpo report {found.search}`"
        )
    trials = read_trials(connection, name)
    totals = connection.execute(statement("family_totals"), {"study": name}).mappings()
    collapsed = connection.execute(statement("collapsed"), {"study": name})
    return Study(
        name=name,
        spec=stored_file(name, found.spec, found.program_version, trials),
        data=found.data,
        fingerprint=found.fingerprint,
        program_version=found.program_version,
        trials=trials,
        totals={one["family"]: Totals(**one) for one in totals},
        places=_places(connection, name, trials),
        collapsed=Counter(one.number for one in collapsed),
    )


def stored_file(name: str, stored: Json, version: str, trials: Sequence[TrialRecord]) -> Json:
    """A study file with all defaults; a StudyError where it is none, or does not fit its trials."""
    try:
        found = StudyTables.model_validate(stored)
    except ValidationError as error:
        raise stored_error(name, version, error) from error
    spec = {**found.model_dump(mode="json"), "name": name}
    spaces = {family: searched(spec, family).keys() for family in spec["families"]}
    for one in trials:
        if one.params.keys() != spaces.get(one.family):
            raise StudyError(
                f"trial {one.number} of study {name!r} has other hyperparameters than the study"
                " searches, which no worker writes; restore the database from a backup"
            )
    return spec


def _places(
    connection: "Connection", study: str, trials: Sequence[TrialRecord]
) -> dict[str, tuple[Place, ...]]:
    by_number = {one.number: one for one in trials}
    found = defaultdict(list)
    for row in connection.execute(statement("leaderboard"), {"study": study, "top": len(trials)}):
        found[row.family].append(Place(by_number[row.number], row.rank, row.sd))
    return {family: tuple(found[family]) for family in sorted(found, key=family_place)}
