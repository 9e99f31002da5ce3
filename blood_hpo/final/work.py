"""Everything a study asks of a worker, in order: search, confirm, retrain and test.

There is no coordinator. A stage begins when the one before has nothing left to claim or to wait
for, which every worker finds out for itself before each trial: so a budget that is raised, or a
final stage that is changed, reaches workers that are at a later stage.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.record import TrialRecord
from blood_hpo.final.confirmation_stage import ConfirmStage
from blood_hpo.final.planned_stage import reread
from blood_hpo.final.retraining_stage import RetrainStage
from blood_hpo.search.dataset import search_data
from blood_hpo.settings import Settings
from blood_hpo.store.outage import patiently
from blood_hpo.store.studies import SharedStudy, finish
from blood_hpo.worker.claims import Finished, Found
from blood_hpo.worker.search_stage import SearchStage
from blood_hpo.worker.shutdown import Shutdown
from blood_hpo.worker.stage import Stage
from blood_hpo.worker.worker import Worker, idle_seconds

GOING_ON = "going on to the next stage"


@dataclass
class Workday:
    """One worker's part in a study, from wherever the study stands to its end."""

    study: SharedStudy
    source: DataSource
    settings: Settings
    shutdown: Shutdown
    name: str

    def run(self, final: bool | None) -> bool:
        """Work until the study is finished, or False when the process is asked to stop.

        Args:
            final: Whether to go on with the final stage after the search; None: as the file says.

        Raises:
            StudyError: There is nothing to confirm, or a stage's study is in the way.
            Interrupted: The process was asked to stop while the database was away.
        """
        idle = 0
        while not self.shutdown.requested:
            found = self.turn(final)
            if isinstance(found, Finished):
                return True
            idle = 0 if isinstance(found, TrialRecord) else idle + 1
            self.shutdown.wait(idle_seconds(idle, self.settings.heartbeat_seconds))
        return False

    def turn(self, final: bool | None) -> Found:
        """Run a trial of the first stage that is not finished, if it has one; as `run`."""
        self.study = reread(self.study, self.shutdown.wait)
        asked = self.study.spec.final is not None
        wanted = asked if final is None else final
        for worker in self._workers(final=wanted):
            found = worker.turn()
            if not isinstance(found, Finished):
                return found
        if wanted or not asked:
            patiently(lambda: finish(self.study), GOING_ON, self.shutdown.wait)
        return Finished()

    def _workers(self, *, final: bool) -> Iterator[Worker]:
        """A worker a stage, made when the stage before is finished."""
        yield self._search
        if final:
            yield self._confirm
            yield self._retrain

    @cached_property
    def _search(self) -> Worker:
        data = search_data(self.study.spec, self.source)
        return self._worker(lambda: SearchStage(self.study, data, self.name))

    @cached_property
    def _confirm(self) -> Worker:
        return self._worker(lambda: ConfirmStage(self.study, self.source, self.name))

    @cached_property
    def _retrain(self) -> Worker:
        confirm = self._confirm.stage
        assert isinstance(confirm, ConfirmStage)
        return self._worker(lambda: RetrainStage(confirm))

    def _worker(self, stage: Callable[[], Stage]) -> Worker:
        made = patiently(stage, GOING_ON, self.shutdown.wait)
        return Worker(made, self.settings, self.shutdown)
