"""Workers on this machine: started as processes of their own, watched, replaced and drained."""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from blood_hpo.errors import DataError, InputError, StudyError
from blood_hpo.worker.shutdown import INTERRUPTED

log = logging.getLogger(__name__)

RESTARTS = 3  # times a crashed worker is replaced before the pool gives up on its place
FORGIVEN_SECONDS = 600.0  # a worker that has lived this long was not replaced in vain
ENDED = (None, 0, INTERRUPTED)  # no crash: still running, finished, or drained by somebody else
REFUSALS = [one.exit_code for one in (InputError, DataError, StudyError)]
"""The worker has said what is wrong: replacing it would not help."""


@dataclass
class _Place:
    """One of the pool's places, and the process that holds it now."""

    log_file: Path
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    restarts: int = 0
    given_up: bool = False


@dataclass
class Pool:
    """Worker processes of one study; drained and killed from any thread.

    The environment is added to this process's own; secrets go there, never into the command. Each
    worker's log is appended to ``worker-<n>.log`` in the folder.
    """

    command: Sequence[str]
    environment: dict[str, str]
    folder: Path
    _places: list[_Place] = field(default_factory=list)
    _draining: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)  # no worker starts unseen

    def start(self, workers: int) -> None:
        """Start this many workers, or raise an InputError where their logs cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for number in range(1, workers + 1):
                path = self.folder / f"worker-{number}.log"
                with self._lock:
                    if not self._draining:
                        self._places.append(_Place(path, self._spawn(path)))
        except OSError as error:
            raise InputError(
                f"no worker can be started with its log in {self.folder} ({error.strerror}); set"
                " BLOOD_HPO_HOME to a folder that you may write to"
            ) from error

    def _spawn(self, path: Path) -> subprocess.Popen[bytes]:
        with path.open("ab") as file:
            # A session of its own: Ctrl-C reaches the pool alone, which then drains its workers.
            return subprocess.Popen(  # noqa: S603 - our own interpreter and module
                self.command,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def alive(self) -> int:
        """Workers that are running now; those that crashed are replaced first."""
        with self._lock:
            for place in self._places:
                code = place.process.poll()
                if code not in ENDED and not place.given_up and not self._draining:
                    self._replace(place, code)
            return sum(place.process.poll() is None for place in self._places)

    def _replace(self, place: _Place, code: int) -> None:
        if time.monotonic() - place.started > FORGIVEN_SECONDS:
            place.restarts = 0
        place.given_up = code in REFUSALS or place.restarts >= RESTARTS
        verdict = "given up" if place.given_up else "replaced"
        file = place.log_file
        log.warning("%s ended with code %d and is %s; see %s", file.stem, code, verdict, file)
        if not place.given_up:
            place.restarts += 1
            place.started = time.monotonic()
            place.process = self._spawn(file)

    def crashed(self) -> list[Path]:
        """Logs of the workers that were given up."""
        return [place.log_file for place in self._places if place.given_up]

    def drain(self) -> None:
        """Ask every worker, once, to finish its epoch, return its trial to the queue and exit."""
        if not self._draining:  # asked twice, it exits at once
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End every worker at once."""
        self._signal(signal.SIGKILL)
        for place in self._places:
            place.process.wait()

    def close(self, seconds: float) -> None:
        """Drain the workers that still run, and end those that have not gone by then."""
        self.drain()
        if not self.wait(seconds):
            log.warning("workers did not end within %.0f s of being asked and are killed", seconds)
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            self._draining = True
            for place in self._places:
                place.process.send_signal(number)  # which spares one that has ended

    def wait(self, seconds: float) -> bool:
        """Wait for every worker to end; False if some still run after ``seconds``."""
        deadline = time.monotonic() + seconds
        for place in self._places:
            try:
                place.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                return False
        return True
