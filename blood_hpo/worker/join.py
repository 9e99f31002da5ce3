"""How a worker comes to its studies: to one by name, or to whichever needs it, the oldest first.

The database may be slower to start than the worker. Workers without a study of their own look again
after every trial, so a study that is created while they work, or while they wait, has its turn
without anybody telling them.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Row

from blood_hpo.dashboard.notes import refresh_note
from blood_hpo.database.address import engine
from blood_hpo.database.failures import database_errors
from blood_hpo.database.record import TrialRecord
from blood_hpo.database.schema_version import check_schema
from blood_hpo.errors import StudyError
from blood_hpo.store.outage import Waiting, patiently
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy, open_study, pause
from blood_hpo.version import __version__
from blood_hpo.worker.claims import Found
from blood_hpo.worker.shutdown import Shutdown
from blood_hpo.worker.worker import StoppedError, idle_seconds

log = logging.getLogger(__name__)

WORKER = "blood-hpo worker"  # what its connections are called in ``pg_stat_activity``


def join(url: str, *, grace_seconds: float, wait: Waiting) -> StudyStorage:
    """The database as a worker uses it, once it is there.

    Raises:
        DatabaseError: Waiting will not help: a wrong password, a missing database or schema.
        Interrupted: ``wait`` said so while the database was away.
    """
    with database_errors(url):
        return patiently(lambda: _storage(url, grace_seconds), "joining the database", wait)


def join_study(url: str, name: str, *, grace_seconds: float, wait: Waiting) -> SharedStudy:
    """Open a study to work on it, as `join`; a StudyError where there is none for this program."""
    storage = join(url, grace_seconds=grace_seconds, wait=wait)
    with database_errors(url):
        found = patiently(lambda: open_study(storage, name), "joining the study", wait)
    found.refuse_other_program()
    return found


def _storage(url: str, grace_seconds: float) -> StudyStorage:
    first = engine(url, WORKER)
    try:
        check_schema(first)
    finally:
        first.dispose()
    return StudyStorage(url, WORKER, grace_seconds=grace_seconds)


Turn = Callable[[bool | None], Found]
"""A worker's part in a study: runs its next trial, with its final stage or without."""


@dataclass
class Queue:
    """The studies that need work with the data set that this worker has, and its part in each."""

    storage: StudyStorage
    sha256: str
    begin: Callable[[SharedStudy], Turn]
    shutdown: Shutdown
    heartbeat_seconds: float
    _turns: dict[int, Turn] = field(default_factory=dict)
    _said: str = ""

    def run(self, final: bool | None) -> None:
        """Work until the process is asked to stop, also while the database is away: `Interrupted`.

        ``final``: with final stages or without them; None: as each study file says.
        """
        idle = 0
        while not self.shutdown.requested:
            idle = 0 if any(self._helped(one, final) for one in self._open()) else idle + 1
            self.shutdown.wait(idle_seconds(idle, self.heartbeat_seconds))

    def _open(self) -> Iterator[Row[Any]]:
        """Name and key of the studies that need work, the oldest first; others are forgotten."""
        wanted = {"program_version": __version__, "sha256": self.sha256}
        rows = self._ask("looking for studies", "unfinished", **wanted)
        keys = {row.study_id for row in rows}
        self._turns = {key: turn for key, turn in self._turns.items() if key in keys}
        if not rows:
            self._say("no study needs work; waiting for one: blood-hpo study create FILE")
        yield from rows

    def _helped(self, one: Row[Any], final: bool | None) -> bool:
        """Whether the study had a trial, which was run; one that cannot go on is paused."""
        try:
            found = self._turn(one)(final)
        except StoppedError:
            return False  # which was said; other studies go on
        except StudyError as error:
            log.error("study %s: %s", one.name, error)  # noqa: TRY400 - the message says it all
            self._turns.pop(one.study_id, None)
            for row in self._ask("pausing", "study_record", name=one.name):
                if row.study_id == one.study_id:  # it was not deleted, nor made anew
                    say = partial(pause, self.storage, row.study_id, str(error), overrule=False)
                    patiently(say, "pausing", self.shutdown.wait)
                    refresh_note(self.storage, row.study_id, least_seconds=0)
            return False
        return isinstance(found, TrialRecord)

    def _turn(self, one: Row[Any]) -> Turn:
        if one.study_id not in self._turns:
            opening = partial(open_study, self.storage, one.name)
            study = patiently(opening, "opening a study", self.shutdown.wait)
            self._say(f"study {one.name} needs work")
            self._turns[one.study_id] = self.begin(study)
        return self._turns[one.study_id]

    def _ask(self, doing: str, statement: str, **parameters: object) -> list[Row[Any]]:
        wait = self.shutdown.wait
        return patiently(lambda: self.storage.ask(statement, **parameters), doing, wait)

    def _say(self, words: str) -> None:
        # Once, not at every look.
        if words != self._said:
            log.info("%s", words)
        self._said = words
