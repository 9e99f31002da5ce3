"""``blood-hpo worker``: one process that runs trials of a study."""

import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from blood_hpo.cli.session import DataOption, FinalOption, StudyArgument

if TYPE_CHECKING:
    from blood_hpo.worker.shutdown import Shutdown

log = logging.getLogger(__name__)


def worker(
    study: StudyArgument,
    data: DataOption = None,
    final: FinalOption = None,
) -> None:
    """Work on a study until it is finished, waiting for the database if it is away.

    When the budgets of the search are spent, and the study file has a final table, the same
    workers confirm the best configurations, retrain the winners and test them.

    A first Ctrl-C or SIGTERM drains: the epoch ends, the trial goes back to the queue, exit code 0.
    A second one ends the process at once; peers recover the trial after the grace time.

    Example: blood-hpo worker quickstart
    """
    from blood_hpo.settings import settings
    from blood_hpo.store.outage import Interrupted
    from blood_hpo.worker.shutdown import Shutdown

    shutdown = Shutdown(settings().drain_seconds)
    shutdown.on_signals()
    with contextlib.suppress(Interrupted):
        _work(study, data, final, shutdown)


def _work(study: str, data: str | None, final: bool | None, shutdown: "Shutdown") -> None:
    from blood_hpo.data.bloodmnist import find
    from blood_hpo.database.address import database_url
    from blood_hpo.settings import settings
    from blood_hpo.training.runtime import configure
    from blood_hpo.worker.join import join_study

    url, grace_seconds = database_url(settings()), settings().grace_seconds
    found = join_study(url, study, grace_seconds=grace_seconds, wait=shutdown)
    source = find(
        Path(data) if data else None,
        settings=settings(),
        synthetic=bool(found.data["synthetic"]),
    )
    found.refuse_other_data(source)
    configure()
    log.info("loading TensorFlow, which takes some seconds")
    # TensorFlow is imported from here on; everything that can be refused was refused before.
    from blood_hpo.final.work import Workday
    from blood_hpo.worker.worker import worker_name

    wanted = final if final is not None else found.spec.final is not None
    Workday(found, source, settings(), shutdown, worker_name()).run(final=wanted)
