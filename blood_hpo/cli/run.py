"""``blood-hpo run``: studies from files to a leaderboard, on this machine."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blood_hpo.cli.output import FormatOption, OutputFormat, print_rows
from blood_hpo.cli.session import DataOption, FinalOption
from blood_hpo.cli.study import AroundOption, BudgetOption, NameOption
from blood_hpo.errors import BloodHpoError, InputError, StudyError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from blood_hpo.service.pool import Pool
    from blood_hpo.service.studies import SharedStudy

INTERRUPTED = 130
DRAIN_SECONDS = 600.0
POLL_SECONDS = 1.0


def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    files: Annotated[
        list[Path], typer.Argument(help="Study files, run in turn.", metavar="FILE...")
    ],
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", min=1, help="Processes; default one a core.")
    ] = None,
    name: NameOption = None,
    budget: BudgetOption = None,
    around: AroundOption = None,
    grids: Annotated[
        list[Path] | None,
        typer.Option(
            "--grid",
            metavar="FILE",
            help="Then run this study file around the winners, as STUDY-NAME; repeatable.",
        ),
    ] = None,
    data: DataOption = None,
    top: Annotated[int, typer.Option(help="Rows per family of the leaderboard.", min=1)] = 5,
    final: FinalOption = None,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Run studies from files on this machine and print a leaderboard per family.

    A study whose file asks for a final stage goes on: the best configurations are confirmed, the
    winners and a ResNet retrained and tested, the results printed below the leaderboards and the
    report written to report/STUDY.

    Ctrl-C once drains: epochs end, trials go back to the queue, and the same command goes on from
    there. Ctrl-C twice stops at once. Both end with exit code 130.

    Example: blood-hpo run studies/quickstart.toml --workers 2

    Example: blood-hpo run studies/paper.toml --budget mlp=40 --budget cnn=40 --data bloodmnist.npz

    Example: blood-hpo run studies/paper.toml --grid studies/units.toml --grid studies/kernels.toml
    """
    if name is not None and len(files) > 1:
        raise InputError("--name: with several files each study keeps its own; leave it out")
    from blood_hpo.cli.creation import create_around, create_from_file
    from blood_hpo.cli.session import engine
    from blood_hpo.cli.shortfall import Shortfalls
    from blood_hpo.cli.tables import leaderboard

    count, ran, shortfalls = processes(workers), [], Shortfalls()

    def one(study: "SharedStudy", final: bool) -> None:
        _run_study(study, count, data, final, top if output is OutputFormat.TABLE else None)
        ran.append(study.name)
        shortfalls.look(study.name)

    for file in files:
        study = create_from_file(file, name=name, budgets=budget or [], around=around, data=data)
        whole = final if final is not None else study.spec.final is not None
        one(study, whole)
        for grid in grids or []:
            one(create_around(grid, study, data), final=False)
        if whole or grids:
            with engine() as connected:
                write_page(connected, study.name)
    if output is not OutputFormat.TABLE:
        with engine() as connected:
            print_rows(*leaderboard(connected, ran, top), output)
    shortfalls.refuse()


def processes(workers: int | None) -> int:
    """How many workers to start: as asked, or one a core.

    Raises:
        InputError: The embedded server has not enough connections for them.
    """
    from blood_hpo.database.embedded import MOST_WORKERS
    from blood_hpo.settings import settings

    count = workers or os.cpu_count() or 1
    if settings().server_url() is None and count > MOST_WORKERS:
        raise InputError(
            f"--workers {count}: the embedded server has connections for {MOST_WORKERS} workers;"
            " start fewer, or name a server with DATABASE_URL"
        )
    return count


def _run_study(
    study: "SharedStudy", workers: int, data: str | None, final: bool, top: int | None
) -> None:
    """Work on a study; its tables are printed with so many rows, or not at all."""
    from blood_hpo.cli.session import engine
    from blood_hpo.cli.tables import print_final, print_leaderboards, say_data

    say_data(study.data)
    with engine() as connected:
        work_on(study, workers, data, connected, final=final)
        if top is not None:
            print_leaderboards(connected, study.name, study.data, top, OutputFormat.TABLE)
            if final:
                print_final(connected, study.name, study.data, OutputFormat.TABLE)


def write_page(connected: "Engine", study: str) -> None:
    """Write the report of a study to where ``blood-hpo report`` writes it."""
    from datetime import UTC, datetime

    from blood_hpo.report.render import write_report

    page = write_report(connected, study, Path("report") / study, datetime.now(UTC))
    sys.stderr.write(f"report: {page}\n")


def work_on(
    study: "SharedStudy", workers: int, data: str | None, connected: "Engine", *, final: bool
) -> None:
    """Start workers of a study and watch until they have all ended.

    Raises:
        StudyError: The study is paused, or workers ended early.
        typer.Exit: Interrupted; code 130.
    """
    _supervise(study, _pool(study.name, data, final), workers, connected)


def _pool(study: str, data: str | None, final: bool) -> "Pool":
    from blood_hpo.service.pool import Pool, worker_command
    from blood_hpo.settings import settings

    environment = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    if data:
        environment["BLOOD_HPO_DATA"] = str(Path(data).absolute())
    return Pool(worker_command(study, final=final), environment, settings().home / "logs" / study)


def _supervise(study: "SharedStudy", pool: "Pool", workers: int, connected: "Engine") -> None:
    from blood_hpo.cli.progress import Progress
    from blood_hpo.service.shutdown import heard

    sys.stderr.write(f"{study.name}: {workers} workers start and load TensorFlow\n")
    interrupts = _Interrupts(pool)
    with heard(interrupts.on_signal), Progress(connected, study.name) as progress:
        pool.start(workers)
        try:
            while pool.alive():
                progress.update()
                if not interrupts.seen:
                    _revive()
                    _refuse_paused(study)
                interrupts.wait(POLL_SECONDS)
        finally:
            # Nothing to do unless an error ends the watch: no worker is left behind unwatched.
            pool.close(DRAIN_SECONDS)
        progress.update()
    if interrupts.seen:
        sys.stderr.write(f"study {study.name}: drained; the same command goes on from here\n")
        raise typer.Exit(INTERRUPTED)
    if pool.crashed():
        log = pool.crashed()[0]
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise BloodHpoError(
            f"workers of study {study.name!r} ended early ({' '.join(last)}); see {log}"
        )


def _revive() -> None:
    """Start the embedded server again if something has killed it: the workers wait for it."""
    from blood_hpo.database import embedded
    from blood_hpo.settings import settings

    if settings().server_url() is None and embedded.revive(settings().home):
        sys.stderr.write("the embedded PostgreSQL had died and was started again\n")


def _refuse_paused(study: "SharedStudy") -> None:
    """Raise if a stage is paused or the study deleted; an outage of the database is not the end."""
    from blood_hpo.final.names import stage_names
    from blood_hpo.service.outage import ERRORS, transient
    from blood_hpo.service.studies import pause_reasons

    try:
        reasons = {study.name: study.paused()}
        reasons |= pause_reasons(study.storage, stage_names(study.name))
    except ERRORS as error:
        if not transient(error):
            raise
        return
    for name, reason in reasons.items():
        if reason:
            raise StudyError(
                f"study {name!r} is paused: {reason}; go on with"
                f" `blood-hpo study resume {name}` and the same command"
            )


class _Interrupts:
    """Ctrl-C once drains the pool, twice kills it; SIGTERM is the same as Ctrl-C."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._event = threading.Event()
        self.seen = 0

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until the first signal."""
        self._event.wait(seconds)
        self._event.clear()

    def on_signal(self, _received: signal.Signals) -> None:
        self.seen += 1
        self._event.set()
        if self.seen == 1:
            self._pool.drain()
            sys.stderr.write("\ndraining: epochs end, trials go back; Ctrl-C again stops at once\n")
        else:
            self._pool.kill()
            sys.stderr.write("\nstopped at once; what was running is tried again next time\n")
            os._exit(INTERRUPTED)
