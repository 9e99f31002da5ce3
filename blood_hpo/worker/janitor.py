"""The janitor: trials whose worker died are recovered, and what should never be is looked for.

Every worker recovers before it claims. The audit asks in SQL (``database/sql/audit.sql``), so that
the program that made the trials is not its own judge.
"""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from blood_hpo.database.query import run_query
from blood_hpo.database.record import read_trials
from blood_hpo.settings import Settings
from blood_hpo.store.storage import StudyStorage
from blood_hpo.worker.checkpoint import folder

log = logging.getLogger(__name__)


def recover_stale_trials(
    storage: StudyStorage, study_id: int, settings: Settings, *, at_once: bool = False
) -> list[int]:
    """Fail trials that were silent for the grace time and enqueue their configurations again.

    A worker whose own grace time is longer is judged by that. Several janitors may race on one
    trial: the first transaction wins and there is one retry. None judges anybody until the grace
    time after its process was started, stood still, or could not reach the database: perhaps so did
    all, and the others have not been given the time to be heard again. ``at_once`` has it judge all
    the same, as when a person asks. Gives the numbers of those trials.
    """
    recovered = []
    for trial in storage.ask("stale", study_id=study_id, grace_seconds=settings.grace_seconds):
        if not at_once and storage.reachable_seconds() < trial.grace:
            continue
        left = settings.attempts_left(trial.attempt)
        reason = (
            f"worker {trial.worker} was not heard of for {trial.grace:g} s"
            f" (attempt {trial.attempt}, {left} left)"
        )
        judged = {"worker": trial.worker, "retry": left > 0, "grace_seconds": trial.grace}
        if storage.fail(study_id, trial.trial_id, reason, **judged):
            log.warning("trial %d: %s%s", trial.number, reason, "" if left else "; given up")
            recovered.append(trial.number)
    return recovered


@dataclass(frozen=True)
class Audit:
    """Looks at one study and at its checkpoints on this machine."""

    storage: StudyStorage
    study: str
    settings: Settings

    def find(self) -> list[tuple[object, ...]]:
        """Everything that is wrong: in two words, family, trial and worker if any, and details."""
        grace = self.settings.grace_seconds
        answer = run_query(self.storage.engine, "inconsistencies", study=self.study, grace=grace)
        return answer.rows + [("left over", None, None, None, str(path)) for path in self._left()]

    def repair(self) -> None:
        """Mend what can be mended.

        Silent trials are enqueued again, lost ones given up, so that their place goes to another
        configuration, and checkpoints that nobody will go on from are removed, as are files that
        nothing links, once no trial runs that may be about to. Finished trials cannot be changed:
        what was counted twice or beyond the budget stays.
        """
        tell, study_id = self.storage.tell, self.storage.study_id(self.study)
        tell("give_up", study_id=study_id, configuration_id=None)
        recover_stale_trials(self.storage, study_id, self.settings, at_once=True)
        tell("reopen", study_id=study_id)
        self.tidy()
        if "unlinked file" in [row[0] for row in self.find()]:  # which a worker may not delete
            tell("drop_unlinked", study_id=study_id, grace_seconds=self.settings.grace_seconds)

    def tidy(self) -> None:
        """Remove checkpoints that nobody will go on from: a peer went on from its own."""
        for path in self._left():
            path.unlink(missing_ok=True)

    def _left(self) -> list[Path]:
        """Checkpoints older than the grace time that no unfinished trial will go on from."""
        oldest, old = time.time() - self.settings.grace_seconds, []
        for path in sorted(folder(self.settings.home, self.study).glob("*")):
            with suppress(FileNotFoundError):  # its worker has just removed it
                if path.stat().st_mtime < oldest:
                    old.append(path)
        if not old:
            return old
        with self.storage.plain() as connection:
            trials = read_trials(connection, self.study)
        wanted = [one.config_hash for one in trials if one.state in {"WAITING", "RUNNING"}]
        return [path for path in old if not any(one in path.name for one in wanted)]
