"""``blood-hpo status``: how a study stands, once or until it is finished."""

import time
from typing import Annotated

import typer

from blood_hpo.cli.output import FormatOption, OutputFormat
from blood_hpo.cli.session import OnlyStudyArgument, engine, named_or_only, study_data
from blood_hpo.cli.views.progress import Progress
from blood_hpo.cli.views.snapshot import read
from blood_hpo.cli.views.study_view import print_view
from blood_hpo.cli.views.tables import print_answer
from blood_hpo.errors import InputError


def status(
    study: OnlyStudyArgument = None,
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
    if watch and output is not OutputFormat.TABLE:
        raise InputError("--watch draws for people; leave out --format, or --watch")
    with engine() as connected:
        name = named_or_only(connected, study)
        if watch:
            found = study_data(connected, name)
            final = found["stage"] == "search" and found["spec"].get("final") is not None
            with Progress(connected, name, final=final) as progress:
                while not progress.update():
                    time.sleep(interval)
        elif output is OutputFormat.TABLE:
            print_view(read(connected, name))
        else:
            print_answer(connected, "progress", output, study=name)
