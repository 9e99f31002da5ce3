"""Everything a study asks of a worker, in order: search, confirm, retrain and test.

There is no coordinator. A stage begins when the one before has nothing left to claim or to wait
for, which every worker finds out for itself, and what a stage consists of follows from the database
alone.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.final.confirm import ConfirmStage
from blood_hpo.final.plan import plan
from blood_hpo.final.retrain import RetrainStage
from blood_hpo.final.retraining import final_data
from blood_hpo.search.dataset import SearchData, search_data
from blood_hpo.service.outage import patiently
from blood_hpo.service.search_stage import SearchStage
from blood_hpo.service.shutdown import Shutdown
from blood_hpo.service.stage import Stage
from blood_hpo.service.studies import SharedStudy
from blood_hpo.service.worker import Worker
from blood_hpo.settings import Settings

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class Workday:
    """One worker's part in a study, from wherever the study stands to its end."""

    def __init__(
        self,
        study: SharedStudy,
        source: DataSource,
        settings: Settings,
        shutdown: Shutdown,
        worker: str,
    ) -> None:
        self._study = study
        self._source = source
        self._settings = settings
        self._shutdown = shutdown
        self._worker = worker

    def run(self, *, final: bool) -> None:
        """Work until the study is finished or the process is asked to stop.

        Args:
            final: Whether to go on with the final stage after the search.

        Raises:
            StudyError: There is nothing to confirm, or a stage's study is in the way.
            Interrupted: The process was asked to stop while the database was away.
        """
        data = search_data(self._study.spec, self._source)
        search = self._patiently(lambda: SearchStage(self._study, data, self._worker))
        if not self._finish(search) or not final:
            return
        stage = self._confirm(data)
        if stage is not None:
            self._finish(stage)

    def _confirm(self, data: SearchData) -> RetrainStage | None:
        """Confirm; the stage that follows, or None if the process is asked to stop."""
        stage = self._patiently(lambda: ConfirmStage(self._study, data, self._worker))
        if not self._finish(stage):
            return None
        planned = plan(self._study.spec, self._patiently(stage.conclude))
        for one in planned:
            log.info("to be retrained: %s (%s, %d seeds)", one.family, one.recipe, one.seeds)
        splits = final_data(self._source)
        return self._patiently(
            lambda: RetrainStage(self._study, planned, splits, self._source, self._worker)
        )

    def _patiently(self, call: Callable[[], Answer]) -> Answer:
        return patiently(call, "preparing a stage", self._shutdown)

    def _finish(self, stage: Stage) -> bool:
        """Work on a stage; whether it is finished."""
        settings = self._settings
        Worker(stage, settings, self._shutdown, settings.checkpoint_seconds).run()
        return not self._shutdown.requested
