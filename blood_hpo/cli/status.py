"""``blood-hpo status``: where a study stands, once or until it is finished."""

import time
from typing import Annotated

import typer

from blood_hpo.cli.output import FormatOption, OutputFormat
from blood_hpo.cli.session import StudyArgument


def status(
    study: StudyArgument,
    watch: Annotated[
        bool, typer.Option("--watch", help="Refresh until Ctrl-C or the end.")
    ] = False,
    interval: Annotated[float, typer.Option(help="Seconds between refreshes.", min=0.2)] = 2.0,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Show budgets, running trials and the best score of each family.

    Example: blood-hpo status quickstart --watch

    Example: blood-hpo status quickstart --format json
    """
    from blood_hpo.cli.progress import Progress
    from blood_hpo.cli.session import asks_for_final, engine, study_data
    from blood_hpo.cli.tables import print_progress

    with engine() as connected:
        described = study_data(connected, study)
        if not watch:
            print_progress(connected, study, described, output)
            return
        final = asks_for_final(connected, study)
        with Progress(connected, study, final=final) as progress:
            while not progress.update():
                time.sleep(interval)
