"""The studies that hold the trials of a final stage: ``<name>-confirm`` and ``<name>-final``.

They are Optuna studies like the search's, so the same views, commands and dashboard show them. What
a stage is to train is planned from what the database holds, and put in force there: all workers
claim from that plan, also those that made another one from an older study file.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from optuna.distributions import IntDistribution
from sqlalchemy import Connection, Row

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.record import TrialRecord, read_trial
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.models.configuration import Configuration
from blood_hpo.models.registry import FAMILIES
from blood_hpo.search.optuna_private import parameter_row
from blood_hpo.stages import stage_name
from blood_hpo.store.outage import Waiting, patiently
from blood_hpo.store.storage import NewTrial
from blood_hpo.store.studies import NewStudy, SharedStudy, insert_study, open_study
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.studyfile.tables import FinalSpec
from blood_hpo.worker.claims import Busy, Finished, Found, Standing, claim_trial
from blood_hpo.worker.stage import Run

REPLICATE_NAMES = {"confirm": "split", "final": "seed"}
"""What Optuna is told the number of a training is called, by stage."""


@dataclass(frozen=True)
class Rules:
    """When a retraining ends: see `blood_hpo.training.history.TrainingRules`."""

    epochs: int
    patience: int
    start_epoch: int


@dataclass(frozen=True)
class Training:
    """A training that a stage is to do.

    Attributes:
        configuration: What is trained.
        replicate: Number among the trainings of its configuration, from 1.
        seed: Of the training; no two of a stage share configuration and seed.
        params: What was searched.
        source_number: Number of the search's trial that found the configuration, or None.
        recipe: Of a retraining: "winner", or the name of a ResNet that needs no search.
        rules: Of a retraining: when it ends.
    """

    configuration: Configuration
    replicate: int
    seed: int
    params: Mapping[str, Any]
    source_number: int | None
    recipe: str | None = None
    rules: Rules | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Equal for attempts at the same training."""
        return self.configuration.config_hash, self.seed

    def row(self) -> dict[str, object]:
        """The columns of ``hpo.configuration``."""
        rules = asdict(self.rules) if self.rules else dict.fromkeys(Rules.__annotations__)
        return {
            "family": self.configuration.family,
            "config_hash": self.configuration.config_hash,
            "replicate": self.replicate,
            "seed": self.seed,
            "config": json.dumps(self.configuration.document),
            "params": json.dumps(dict(self.params)),
            "source_number": self.source_number,
            "recipe": self.recipe,
            **rules,
        }


def final_spec(spec: StudySpec) -> FinalSpec:
    """What the study file says about the final stage, or the defaults where it is silent."""
    return spec.final or FinalSpec()


def open_stage(search: SharedStudy, stage: str) -> SharedStudy:
    """Create the study of a stage, or open the one that is there.

    Args:
        search: The study whose search is over.
        stage: `CONFIRM` or `FINAL`.

    Raises:
        StudyError: Another study has that name.
    """
    name, storage = stage_name(search.name, stage), search.storage
    new = NewStudy(
        name=name,
        stage=stage,
        search_id=search.study_id,
        spec=_document(search, stage),
        fingerprint=search.fingerprint,
        data=search.data,
        budgets={},
    )
    insert_study(storage, new)
    (found,) = storage.ask("study_record", name=name)
    if found.stage != stage or found.search != search.name:
        raise StudyError(
            f"study {name!r} is in the way of the final stage of {search.name!r}; delete it, or"
            " create the study under another name with --name"
        )
    return replace(search, name=name, study_id=found.study_id)


def _document(search: SharedStudy, stage: str) -> dict[str, object]:
    """The search's study file under the stage's name."""
    return {
        **search.spec.model_dump(mode="json"),
        "name": stage_name(search.name, stage),
        "description": f"the {stage} stage of {search.name}",
        "sampler": {"name": stage},
        "pruner": {"name": "none"},
    }


def put_in_force(stage: SharedStudy, name: str, trainings: Sequence[Training]) -> None:
    """Have the stage ``name`` do these trainings and no others, unless it does already."""
    with stage.storage.plain() as connection:
        if _in_force(connection, stage, trainings):
            return
    with stage.storage.transaction() as connection:
        key = {"study_id": stage.study_id, "stage": name}
        connection.execute(statement("claim_lock"), key)
        if _in_force(connection, stage, trainings):
            return
        connection.execute(statement("withdraw_plan"), key)
        for family in dict.fromkeys(one.configuration.family for one in trainings):
            own = [one for one in trainings if one.configuration.family == family]
            budget = {**key, "family": family, "budget": len(own)}
            connection.execute(statement("write_budget"), budget)
            for place, one in enumerate(own, start=1):
                row = {**budget, **one.row(), "place": place}
                connection.execute(statement("plan_training"), row)
        others = {**key, "families": [one.configuration.family for one in trainings]}
        connection.execute(statement("drop_other_budgets"), others)
        connection.execute(statement("end_withdrawn"), key)


def _in_force(connection: Connection, stage: SharedStudy, trainings: Sequence[Training]) -> bool:
    """Whether the plan in force is this one, but for what has been given up of it."""
    rows = connection.execute(statement("plan_in_force"), {"study_id": stage.study_id}).all()
    wanted = {one.key for one in trainings}
    given_up = {(row.config_hash, row.seed) for row in rows if not row.in_force}
    return {(row.config_hash, row.seed) for row in rows if row.in_force} == wanted - given_up


def claim_planned(stage: SharedStudy, name: str, worker: str, stop: Waiting) -> Found:
    """Take the next training of the plan in force, waiting for the database if it is away.

    Raises:
        Interrupted: ``stop`` said so while the database was away.
        StudyError: The study has been deleted.
    """
    # The largest networks first: begun last, they would keep everybody waiting.
    wanted = {"study_id": stage.study_id, "families": list(reversed(FAMILIES))}

    def told(made: Row[Any]) -> NewTrial:
        number = parameter_row(REPLICATE_NAMES[name], made.replicate, IntDistribution(1, 20))
        return NewTrial(made.family, [number], made.source_id)

    def create(connection: Connection, standing: Standing) -> int | Busy | Finished:
        storage = stage.storage
        found = storage.create_trial(connection, worker, "planned_configuration", wanted, told)
        if found is not None:
            return found
        # Read again: a peer may have claimed the last one since.
        standing = stage.standing(connection)
        if any(row.open for row in standing):
            return Busy()
        unspent = [row.family for row in standing if row.held < row.budget and not row.closed]
        return Finished(tuple(unspent))

    return claim_trial(stage, worker, create, stop)


def reread(search: SharedStudy, stop: Waiting) -> SharedStudy:
    """The search with its study file as it is now: budgets and the final stage may have changed."""
    return patiently(lambda: open_study(search.storage, search.name), "reading a study", stop)


class PlannedStage(ABC):
    """A stage that does the trainings of a plan, on one worker; the plan is renewed at each claim.

    Attributes:
        study: That holds the trials.
        worker: Name of the worker that claims them.
        search: The study whose search is over, as it was read last.
    """

    name: ClassVar[str]

    def __init__(self, search: SharedStudy, source: DataSource, worker: str) -> None:
        """Open or create the stage.

        Raises:
            StudyError: Another study has the stage's name.
        """
        self.study = open_stage(search, self.name)
        self.worker = worker
        self.search = search
        self.source = source

    @property
    def final(self) -> FinalSpec:
        """What the study file says about the final stage."""
        return final_spec(self.search.spec)

    def claim(self, stop: Waiting) -> Found:
        """Take the next training of the plan, which is made anew where it changed."""
        self.search = reread(self.search, stop)
        patiently(self._plan, f"planning {self.study.name}", stop)
        return claim_planned(self.study, self.name, self.worker, stop)

    def _plan(self) -> None:
        put_in_force(self.study, self.name, self.trainings())

    @abstractmethod
    def trainings(self) -> Sequence[Training]:
        """What the stage is to train, as the database stands."""

    def found(self, numbers: str, **wanted: object) -> list[TrialRecord]:
        """The search's trials whose numbers a statement gives, in its order."""
        with self.search.storage.plain() as connection:
            chosen = connection.scalars(statement(numbers), wanted).all()
            trials = [read_trial(connection, self.search.name, number) for number in chosen]
        return [one for one in trials if one]

    def should_prune(self, _claim: TrialRecord, _run: Run) -> bool:
        """Never: all that is planned is wanted."""
        return False
