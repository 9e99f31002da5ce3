"""``blood-hpo status``: how a study stands, once or until it is finished."""

import time
from typing import Annotated

import typer

from blood_hpo.cli.output import FormatOption, OutputFormat, print_rows
from blood_hpo.cli.session import StudyArgument
from blood_hpo.errors import InputError


def status(
    study: StudyArgument,
    watch: Annotated[
        bool, typer.Option("--watch", help="Refresh until Ctrl-C or the end.")
    ] = False,
    interval: Annotated[float, typer.Option(help="Seconds between refreshes.", min=0.2)] = 2.0,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Show families with time left and best score, workers with their trials, and warnings.

    In a pipe, --watch prints a line every half minute. JSON and CSV hold the families alone.

    Example: blood-hpo status quickstart --watch

    Example: blood-hpo status quickstart --format json
    """
    from blood_hpo.cli.session import asks_for_final, engine, study_data
    from blood_hpo.cli.views.progress import Progress
    from blood_hpo.cli.views.snapshot import read
    from blood_hpo.cli.views.study_view import print_view
    from blood_hpo.database.query import run_query
    from blood_hpo.settings import settings

    if watch and output is not OutputFormat.TABLE:
        raise InputError("--watch draws for people; leave out --format, or --watch")
    with engine() as connected:
        if watch:
            final = asks_for_final(connected, study)
            with Progress(connected, study, final=final) as progress:
                while not progress.update():
                    time.sleep(interval)
        elif output is OutputFormat.TABLE:
            print_view(read(connected, study, settings()))
        else:
            study_data(connected, study)  # which must exist
            found = run_query(connected, "progress", study=study)
            print_rows(found.columns, found.rows, output)
