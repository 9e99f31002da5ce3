"""``blood-hpo worker``: one process that runs trials of a study."""

from typing import Annotated

import typer

from blood_hpo.cli.session import DataOption, StudyArgument


def worker(
    study: StudyArgument,
    data: DataOption = None,
    name: Annotated[
        str | None, typer.Option(help="Name in the database; default host, process and start.")
    ] = None,
) -> None:
    """Run trials of a study until its budgets are spent.

    A first Ctrl-C or SIGTERM drains: the epoch ends, the trial goes back to the queue, exit code 0.
    A second one ends the process at once; peers recover the trial after the grace time.

    Example: blood-hpo worker quickstart
    """
    from pathlib import Path

    from blood_hpo.cli.session import storage
    from blood_hpo.data.bloodmnist import find
    from blood_hpo.service.studies import open_study
    from blood_hpo.settings import settings
    from blood_hpo.training.runtime import configure

    found = open_study(storage("blood-hpo worker"), study)
    source = find(
        Path(data) if data else None,
        settings=settings(),
        synthetic=found.spec.data.synthetic_fallback,
    )
    found.refuse_other_data(source)
    configure()
    # TensorFlow is imported from here on; everything that can be refused was refused before.
    from blood_hpo.search.dataset import search_data
    from blood_hpo.service.worker import Worker, worker_name

    one = Worker(found, search_data(found.spec, source), settings(), name or worker_name())
    one.install_signals()
    one.run()
