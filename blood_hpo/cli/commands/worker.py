"""``blood-hpo worker``: one process that runs trials of a study, or of whichever needs it."""

import contextlib
import logging
from typing import TYPE_CHECKING

import typer

from blood_hpo.cli import session

if TYPE_CHECKING:
    from blood_hpo.data.source import DataSource
    from blood_hpo.final.work import Workday
    from blood_hpo.store.studies import SharedStudy
    from blood_hpo.worker.shutdown import Shutdown

log = logging.getLogger(__name__)


def worker(
    study: session.AnyStudyArgument = None,
    data: session.DataOption = None,
    final: session.FinalOption = None,
) -> None:
    """Work on a study until it is finished, waiting for the database if it is away.

    Without a name: on whichever study needs work, the oldest first, and wait for more.

    When the budgets of the search are spent, and the study file has a final table, the same
    workers confirm the best configurations, retrain the winners and test them.

    A first Ctrl-C or SIGTERM drains: the epoch ends, the trial goes back to the queue, exit code
    130. A second one ends the process at once; peers recover the trial after the grace time.

    Example: blood-hpo worker quickstart

    Example: blood-hpo worker
    """
    from blood_hpo.store.outage import Interrupted
    from blood_hpo.worker.shutdown import INTERRUPTED, Shutdown

    log.info("worker starts: first the database, then TensorFlow, which takes up to a minute")
    shutdown = Shutdown(session.settings().drain_seconds)
    shutdown.on_signals()
    with contextlib.suppress(Interrupted):
        _work(study, data, final, shutdown)
    if shutdown.requested:
        log.info("drained")
        raise typer.Exit(INTERRUPTED)


def _work(study: str | None, data: str | None, final: bool | None, shutdown: "Shutdown") -> None:
    from blood_hpo.worker.join import Queue, join, join_study

    url, settings = session.address(), session.settings()
    grace_seconds = settings.grace_seconds
    if study is None:
        source = session.data_source(data)
        storage = join(url, grace_seconds=grace_seconds, wait=shutdown.wait)
        seconds = settings.heartbeat_seconds
        queue = Queue(
            storage, source.sha256, lambda one: _day(one, source, shutdown).turn, shutdown, seconds
        )
        queue.run(final)
        return
    found = join_study(url, study, grace_seconds=grace_seconds, wait=shutdown.wait)
    source = session.data_source(data, synthetic=bool(found.data["synthetic"]))
    found.refuse_other_data(source)
    _day(found, source, shutdown).run(final)


def _day(study: "SharedStudy", source: "DataSource", shutdown: "Shutdown") -> "Workday":
    """Begin to work on a study; everything that can be refused was refused before."""
    from blood_hpo.training.runtime import configure

    configure()
    # TensorFlow is imported from here on.
    from blood_hpo.final.work import Workday
    from blood_hpo.worker.worker import worker_name

    return Workday(study, source, session.settings(), shutdown, worker_name())
