"""``blood-hpo report``: the report of a study, from the database."""

from pathlib import Path
from typing import Annotated

import typer

from blood_hpo.cli.session import StudyArgument


def report(
    study: StudyArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write; default report/STUDY.", metavar="DIR"),
    ] = None,
) -> None:
    """Write the report of a study: a page, its figures and tables, predictions and models.

    A report that is already in the folder is replaced, in one step. What the study has not done yet
    is named, with the command that does it. Neither TensorFlow nor the data set is needed.

    Example: blood-hpo report quickstart

    Example: blood-hpo report paper --out reports/paper
    """
    from datetime import UTC, datetime

    from blood_hpo.cli.session import engine
    from blood_hpo.report.render import write_report

    folder = out or Path("report") / study
    with engine() as connected:
        page = write_report(connected, study, folder, datetime.now(UTC))
    typer.echo(str(page))
