"""Workers without a study of their own: they help whichever needs it, the oldest first.

They look again after every trial, so a study that is created while they work, or while they wait,
has its turn without anybody telling them.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Protocol

from blood_hpo import __version__
from blood_hpo.dashboard.notes import refresh_note
from blood_hpo.database.record import TrialRecord
from blood_hpo.errors import StudyError
from blood_hpo.store.outage import patiently
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy, open_study, pause
from blood_hpo.worker.claims import Found
from blood_hpo.worker.shutdown import Shutdown
from blood_hpo.worker.worker import POLL_SECONDS, StoppedError

log = logging.getLogger(__name__)


class Day(Protocol):
    """A worker's part in one study."""

    def turn(self, final: bool | None) -> Found:
        """Run the study's next trial, if it has one; ``final``: with its final stage or without."""


class Queue:
    """The studies that need work, and one worker's part in each."""

    def __init__(
        self,
        storage: StudyStorage,
        sha256: str,
        begin: Callable[[SharedStudy], Day],
        shutdown: Shutdown,
    ) -> None:
        """Begin with no study.

        Args:
            storage: Where the studies are.
            sha256: Of the data set that this worker has; studies of another are not for it.
            begin: Begins to work on a study.
            shutdown: Tells the worker to stop.
        """
        self._storage, self._sha256 = storage, sha256
        self._begin, self._shutdown = begin, shutdown
        self._days: dict[str, Day] = {}
        self._said = ""

    def run(self, final: bool | None) -> None:
        """Work until the process is asked to stop.

        Args:
            final: Whether to go on with final stages; None: as each study file says.

        Raises:
            Interrupted: The process was asked to stop while the database was away.
        """
        while not self._shutdown.requested:
            if not any(self._helped(name, final) for name in self._open()):
                self._shutdown.wait(POLL_SECONDS)

    def _open(self) -> Iterator[str]:
        """The studies that need work, the oldest first; the others are forgotten."""
        wanted = {"program_version": __version__, "sha256": self._sha256}
        ask = self._storage.ask
        rows = patiently(lambda: ask("unfinished", **wanted), "looking for studies", self._shutdown)
        names = [row.name for row in rows]
        self._days = {name: day for name, day in self._days.items() if name in names}
        if not names:
            self._say("no study needs work; waiting for one: blood-hpo study create FILE")
        yield from names

    def _helped(self, name: str, final: bool | None) -> bool:
        """Whether the study had a trial, which was run; one that cannot go on is paused."""
        try:
            found = self._day(name).turn(final)
        except StoppedError:
            return False  # which was said; other studies go on
        except StudyError as error:
            log.error("study %s: %s", name, error)  # noqa: TRY400 - the message says it all
            self._days.pop(name, None)
            self._pause(name, str(error))
            return False
        return isinstance(found, TrialRecord)

    def _day(self, name: str) -> Day:
        if name not in self._days:
            study = patiently(
                lambda: open_study(self._storage, name), "opening a study", self._shutdown
            )
            self._say(f"study {name} needs work")
            self._days[name] = self._begin(study)
        return self._days[name]

    def _pause(self, name: str, reason: str) -> None:
        for row in patiently(
            lambda: self._storage.ask("study_record", name=name), "pausing", self._shutdown
        ):
            pause(self._storage, row.study_id, reason)
            refresh_note(self._storage, row.study_id, least_seconds=0)

    def _say(self, words: str) -> None:
        # Once, not at every look.
        if words != self._said:
            log.info("%s", words)
        self._said = words
