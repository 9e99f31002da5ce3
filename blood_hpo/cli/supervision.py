"""Workers of a study on this machine, started, watched to their end and drained by Ctrl-C."""

import os
import sys
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from blood_hpo.cli.logs import say, warn
from blood_hpo.cli.session import settings
from blood_hpo.cli.views.progress import Progress
from blood_hpo.errors import BloodHpoError, InputError, StudyError
from blood_hpo.server import embedded
from blood_hpo.stages import stage_names
from blood_hpo.worker.pool import Pool
from blood_hpo.worker.shutdown import INTERRUPTED, heard

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from blood_hpo.store.studies import SharedStudy

DRAIN_SECONDS = 600.0
POLL_SECONDS = 1.0


def processes(workers: int | None) -> int:
    """How many workers to start: as asked, or one a core; too many to connect are an InputError."""
    count = workers or os.cpu_count() or 1
    if settings().server_url() is None and count > embedded.MOST_WORKERS:
        raise InputError(
            f"--workers {count}: the embedded server has connections for {embedded.MOST_WORKERS}"
            " workers; start fewer, or name a server with DATABASE_URL"
        )
    return count


def work_on(
    study: "SharedStudy", workers: int, data: str | None, connected: "Engine", *, final: bool
) -> None:
    """Start workers of a study and watch until they have all ended.

    Raises:
        StudyError: The study is paused, or was deleted.
        BloodHpoError: Workers ended early.
        typer.Exit: Interrupted; code 130.
    """
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    if data:
        environment["BLOOD_HPO_DATA"] = str(Path(data).expanduser().absolute())
    stages = "--final" if final else "--no-final"
    command = [sys.executable, "-m", "blood_hpo", "worker", study.name, stages]
    pool = Pool(command, environment, settings().home / "logs" / study.name)
    say("%s: %d workers start and load TensorFlow", study.name, workers)
    interrupted = threading.Event()
    with heeding(interrupted, pool), Progress(connected, study.name) as progress:
        try:
            pool.start(workers)
            while pool.alive():
                progress.update()
                if interrupted.is_set():
                    time.sleep(POLL_SECONDS)
                else:
                    _revive()
                    _refuse_paused(study)
                    interrupted.wait(POLL_SECONDS)
        finally:
            # Nothing to do unless an error ends the watch: no worker is left behind unwatched.
            pool.close(DRAIN_SECONDS)
        progress.update()
    if interrupted.is_set():
        say("study %s: drained; the same command goes on from here", study.name)
        raise typer.Exit(INTERRUPTED)
    for log in pool.crashed():
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise BloodHpoError(
            f"workers of study {study.name!r} ended early ({' '.join(last)}); see {log}"
        )


def heeding(interrupted: threading.Event, pool: Pool) -> AbstractContextManager[None]:
    """Have Ctrl-C, SIGTERM or a closed terminal drain the pool, which is noted; twice, kill it."""

    def drain() -> None:
        interrupted.set()
        pool.drain()
        say("draining: epochs end, trials go back; Ctrl-C again stops at once")

    def kill() -> None:
        pool.kill()
        say("stopped at once; what was running is tried again next time")
        embedded.release_at_exit(settings().home)  # no exit handler comes to it

    return heard(drain, kill)


def _revive() -> None:
    """Start the embedded server again if it has died: the workers wait for it."""
    if settings().server_url() is None and embedded.revive(settings().home):
        warn("the embedded PostgreSQL had died and was started again")


def _refuse_paused(study: "SharedStudy") -> None:
    """Raise if a stage is paused or the study deleted; an outage of the database is not the end."""
    from blood_hpo.store.outage import unless_away

    names = [study.name, *stage_names(study.name)]
    rows = unless_away(lambda: study.storage.ask("paused", names=names), None)
    if rows == []:
        raise StudyError(f"study {study.name!r} has been deleted")
    for row in rows or ():
        if row.reason:
            raise StudyError(
                f"study {row.name!r} is paused: {row.reason}; go on with"
                f" `blood-hpo study resume {row.name}` and the same command"
            )
