"""``blood-hpo report`` and ``dashboard``: what is looked at in a browser."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blood_hpo.cli import session
from blood_hpo.errors import BloodHpoError, InputError
from blood_hpo.stages import FINAL, stage_name

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from blood_hpo.store.storage import StudyStorage

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
RETRY_SECONDS = 60.0  # after a report that could not be written: the disk may have space then


def report(
    study: session.AnyStudyArgument = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write; default report/STUDY.", metavar="DIR"),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Report every finished study, or STUDY, until Ctrl-C.")
    ] = False,
    address: Annotated[
        str, typer.Option(help="Where the folder report is served, to be printed.", metavar="URL")
    ] = "",
) -> None:
    """Write the report of a study: a page, its figures and tables, predictions and models.

    A report that is already in the folder is replaced, in one step. What the study has not done yet
    is named, with the command that does it. Neither TensorFlow nor the data set is needed.

    Example: blood-hpo report quickstart

    Example: blood-hpo report paper --out reports/paper
    """
    if follow and not out:
        _follow(study, address)
    elif study and not follow:
        with session.engine() as connected:
            typer.echo(str(write_page(connected, study, out)))
    else:
        raise InputError("report: name a study, or give --follow, which takes no --out")


def write_page(connected: "Engine", study: str, folder: Path | None = None) -> Path:
    """Write the report of a study, to report/STUDY if no folder is named; its page."""
    from blood_hpo.database.artefacts import load
    from blood_hpo.report.read.findings import read
    from blood_hpo.report.render import write

    written, found = datetime.now(UTC), read(connected, study)
    artefact = partial(load, connected, stage_name(study, FINAL))
    return write(found, folder or Path("report") / study, written, artefact)


def _follow(only: str | None, address: str) -> None:
    """Look for studies that were finished after their report was written, or for one, for ever."""
    from blood_hpo.store.outage import Interrupted, patiently
    from blood_hpo.worker.shutdown import INTERRUPTED, heard

    opened, ended = session.storage("blood-hpo report"), threading.Event()
    due = defaultdict[str, float](float)  # when a study may be tried again
    # A KeyboardInterrupt could be lost: Python drops one that is raised while it collects garbage.
    with heard(ended.set, lambda: None), suppress(Interrupted):
        while not ended.wait(LOOK_SECONDS):
            found = patiently(lambda: [*_unwritten(opened, only)], "looking", ended.wait)
            for study in found:
                if due[study] <= time.monotonic() and not ended.is_set():
                    due[study] = time.monotonic() + RETRY_SECONDS
                    _announce(study, address)
    raise typer.Exit(INTERRUPTED)


def _announce(study: str, address: str) -> None:
    """Write the report of a finished study and say where it is, or why there is none."""
    try:
        with session.engine() as connected:
            page = write_page(connected, study)
    except Exception as error:  # the others are to be reported all the same
        defect = not isinstance(error, BloodHpoError)
        log.error("study %s has no report: %s", study, error, exc_info=defect)  # noqa: TRY400
    else:
        where = (address or "report").rstrip("/")
        typer.echo(f"study {study} is finished: {where}/{study}/{page.name}")


def _unwritten(storage: "StudyStorage", only: str | None) -> Iterator[str]:
    """Finished studies that have no report, or one from before they were finished."""
    for row in storage.ask("finished"):
        page = Path("report") / row.name / "report.html"
        wanted = only in {None, row.name}
        if wanted and not (page.exists() and page.stat().st_mtime >= row.seconds):
            yield row.name


def dashboard(
    host: Annotated[
        str, typer.Option(help="Address to listen on; whoever reaches it can read every study.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8080,
    reports: Annotated[
        Path, typer.Option(help="Folder of the reports; a study's note leads to its own.")
    ] = Path("report"),
) -> None:
    """Serve optuna-dashboard and the reports, read-only, until Ctrl-C.

    Example: blood-hpo dashboard --port 8090
    """
    with session.engine("blood-hpo dashboard"):
        pass  # which checks the schema
    from blood_hpo.dashboard.server import serve

    serve(session.address(), host, port, reports)
