"""A stage of a worker whose trials are those of a plan: what confirmation and retraining share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from optuna.distributions import IntDistribution
from sqlalchemy import Connection, Row

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.record import TrialRecord, read_trial
from blood_hpo.database.statements import statement
from blood_hpo.final.stage_study import Training, open_stage, put_in_force
from blood_hpo.models.registry import FAMILIES
from blood_hpo.search.optuna_private import parameter_row
from blood_hpo.stages import CONFIRM, FINAL
from blood_hpo.store.outage import Waiting, patiently
from blood_hpo.store.studies import SharedStudy, open_study
from blood_hpo.studyfile.tables import FinalSpec
from blood_hpo.worker.claims import Busy, Finished, Found, Places, claim_trial
from blood_hpo.worker.stage import Run

REPLICATE_NAMES = {CONFIRM: "split", FINAL: "seed"}
"""What Optuna is told the number of a training is called, by stage."""


def claim_planned(stage: SharedStudy, name: str, worker: str, stop: Waiting) -> Found:
    """Take the next training of the plan in force: see `claim_trial`."""
    # The largest networks first: begun last, they would keep everybody waiting.
    wanted = {"study_id": stage.study_id, "families": list(reversed(FAMILIES))}

    def told(made: Row[Any]) -> list[dict[str, object]]:
        return [parameter_row(REPLICATE_NAMES[name], made.replicate, IntDistribution(1, 20))]

    def create(connection: Connection, standing: Places) -> int | Busy | Finished:
        if connection.execute(statement("planned_configuration"), wanted).first():  # before locking
            storage = stage.storage
            found = storage.create_trial(connection, worker, "planned_configuration", wanted, told)
            if found is not None:
                return found
        # Read again: a peer may have claimed the last one since, or paused the stage.
        standing = stage.standing(connection)
        if standing[0].paused is not None or any(row.open for row in standing):
            return Busy()
        connection.execute(statement("end_withdrawn"), wanted)  # put back since the plan changed
        unspent = [row.family for row in standing if row.held < row.budget and not row.closed]
        return Finished(tuple(unspent))

    return claim_trial(stage, worker, create, stop)


def reread(search: SharedStudy, stop: Waiting) -> SharedStudy:
    """The search with its study file as it is now: budgets and the final stage may have changed."""
    return patiently(lambda: open_study(search.storage, search.name), "reading a study", stop)


class PlannedStage(ABC):
    """A stage that does the trainings of a plan, on one worker; the plan is renewed at each claim.

    Its `study` holds the trials, and `search` is the one that is over, as it was read last.
    """

    name: ClassVar[str]

    def __init__(self, search: SharedStudy, source: DataSource, worker: str) -> None:
        """Open or create the stage; a StudyError where another study has its name."""
        self.study = open_stage(search, self.name)
        self.worker = worker
        self.search = search
        self.source = source

    @property
    def final(self) -> FinalSpec:
        """What the study file says about the final stage, or the defaults where it is silent."""
        return self.search.spec.final or FinalSpec()

    def claim(self, stop: Waiting) -> Found:
        """Take the next training of the plan, which is made anew where it changed."""
        self.search = reread(self.search, stop)
        doing = f"planning {self.study.name}"
        patiently(lambda: put_in_force(self.study, self.name, self.trainings()), doing, stop)
        return claim_planned(self.study, self.name, self.worker, stop)

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
