"""``blood-hpo study export`` and ``import``: studies to and from plain Optuna storage."""

from pathlib import Path
from typing import Annotated

import typer

from blood_hpo.cli.commands.study import app
from blood_hpo.cli.session import NameOption, StudyArgument, storage

PlaceArgument = Annotated[
    str, typer.Argument(help="An SQLite file, or any URL that Optuna can use.", metavar="PLACE")
]


@app.command()
def export(
    study: StudyArgument,
    place: PlaceArgument,
    files: Annotated[
        Path | None,
        typer.Option(
            "--files",
            metavar="DIR",
            help="Also write pictures and models, for optuna-dashboard --artifact-dir DIR.",
        ),
    ] = None,
) -> None:
    """Copy a study and its stages to plain Optuna storage, for optuna-dashboard and Optuna alone.

    Example: blood-hpo study export quickstart quickstart.db --files quickstart-files
    """
    found = storage()
    from blood_hpo.store.exchange import export_files, export_study

    trials = export_study(found, study, place)
    for name, count in trials.items():
        typer.echo(f"study {name}: {count} trials")
    if files:
        typer.echo(f"{files}: {export_files(found, list(trials), files)} files")


@app.command("import")
def import_(
    place: PlaceArgument,
    study: Annotated[str | None, typer.Argument(help="Which study; default all.")] = None,
    name: NameOption = None,
) -> None:
    """Copy studies of any program from plain Optuna storage, to be looked at in the dashboard.

    They stay as they are: no worker trains for them, and the views do not hold them.

    Example: blood-hpo study import colleague.db
    """
    found = storage()
    from blood_hpo.store.exchange import import_studies

    for one, count in import_studies(found, place, study, name).items():
        typer.echo(f"study {one}: {count} trials")
