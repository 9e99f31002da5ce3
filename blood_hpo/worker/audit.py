"""The audit of a study: what should never be found, and what of it can be mended.

The questions are asked in SQL (``database/sql/audit.sql``), so that the program that made the
trials is not its own judge.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from blood_hpo.database.query import run_query
from blood_hpo.database.record import read_trials
from blood_hpo.settings import Settings
from blood_hpo.store.storage import StudyStorage
from blood_hpo.worker.checkpoint import folder
from blood_hpo.worker.janitor import recover_stale_trials


class Inconsistency(NamedTuple):
    """Something that should not be, in two words, and the trial that it concerns, if it does."""

    kind: str
    family: str | None
    number: int | None
    worker: str | None
    detail: str


@dataclass(frozen=True)
class Audit:
    """Looks at one study and at its checkpoints on this machine."""

    storage: StudyStorage
    study: str
    settings: Settings

    def find(self) -> list[Inconsistency]:
        """Everything that is wrong."""
        grace = self.settings.grace_seconds
        answer = run_query(self.storage.engine, "inconsistencies", study=self.study, grace=grace)
        found = [Inconsistency(*row) for row in answer.rows]  # type: ignore[arg-type]
        left = [Inconsistency("left over", None, None, None, str(path)) for path in self._left()]
        return found + left

    def repair(self) -> None:
        """Mend what can be mended.

        Silent trials are enqueued again, lost ones given up, so that their place goes to another
        configuration, and checkpoints that nobody will go on from are removed. Finished trials
        cannot be changed: what was counted twice or beyond the budget stays.
        """
        tell, study_id = self.storage.tell, self.storage.study_id(self.study)
        tell("give_up", study_id=study_id, configuration_id=None)
        tell("drop_unlinked", study_id=study_id, grace_seconds=self.settings.grace_seconds)
        recover_stale_trials(self.storage, study_id, self.settings, at_once=True)
        tell("reopen", study_id=study_id)
        for path in self._left():
            path.unlink(missing_ok=True)

    def _left(self) -> list[Path]:
        """Checkpoints older than the grace time that no unfinished trial will go on from."""
        with self.storage.plain() as connection:
            trials = read_trials(connection, self.study)
        wanted = [one.config_hash for one in trials if one.state in {"WAITING", "RUNNING"}]
        oldest = time.time() - self.settings.grace_seconds
        return sorted(
            path
            for path in folder(self.settings.home, self.study).glob("*")
            if path.stat().st_mtime < oldest and not any(one in path.name for one in wanted)
        )
