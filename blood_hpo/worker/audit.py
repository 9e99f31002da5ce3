"""The audit of a study: what should never be found, and what of it can be mended.

The questions are asked in SQL (``database/sql/audit.sql``), so that the program that
made the trials is not its own judge.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from blood_hpo.database.query import run_query
from blood_hpo.database.record import read_trials
from blood_hpo.settings import Settings
from blood_hpo.store.storage import StudyStorage
from blood_hpo.worker.checkpoint import folder
from blood_hpo.worker.janitor import recover_stale_trials


@dataclass(frozen=True)
class Inconsistency:
    """Something that should not be, in two words, and the trial that it concerns, if it does."""

    kind: str
    family: str | None
    number: int | None
    worker: str | None
    detail: str


class Audit:
    """Looks at one study and at its checkpoints on this machine."""

    def __init__(self, storage: StudyStorage, study: str, settings: Settings) -> None:
        """Open the study.

        Raises:
            StudyError: There is none of that name.
        """
        self._storage = storage
        self._study = study
        self._study_id = storage.study_id(study)
        self._settings = settings

    def find(self) -> list[Inconsistency]:
        """Everything that is wrong."""
        grace = self._settings.grace_seconds
        answer = run_query(self._storage.engine, "inconsistencies", study=self._study, grace=grace)
        found = [Inconsistency(*row) for row in answer.rows]  # type: ignore[arg-type]
        left = [Inconsistency("left over", None, None, None, str(path)) for path in self._left()]
        return found + left

    def repair(self) -> None:
        """Mend what can be mended.

        Silent trials are enqueued again, lost ones given up, so that their place goes to another
        configuration, and checkpoints that nobody will go on from are removed. Finished trials
        cannot be changed: what was counted twice or beyond the budget stays.
        """
        grace = self._settings.grace_seconds
        self._storage.tell("give_up", study_id=self._study_id, configuration_id=None)
        self._storage.tell("drop_unlinked", study_id=self._study_id, grace_seconds=grace)
        recover_stale_trials(
            self._storage,
            self._study_id,
            grace_seconds=grace,
            max_attempts=self._settings.max_attempts,
            at_once=True,
        )
        self._storage.tell("reopen", study_id=self._study_id)
        for path in self._left():
            path.unlink(missing_ok=True)

    def _left(self) -> list[Path]:
        """Checkpoints older than the grace time that no unfinished trial will go on from."""
        with self._storage.plain() as connection:
            trials = read_trials(connection, self._study)
        wanted = [one.config_hash for one in trials if one.state in {"WAITING", "RUNNING"}]
        oldest = time.time() - self._settings.grace_seconds
        return sorted(
            path
            for path in folder(self._settings.home, self._study).glob("*")
            if path.stat().st_mtime < oldest and not any(one in path.name for one in wanted)
        )
