"""``blood-hpo study`` delete, export, import, pause, stop, resume: what is done with one."""

from pathlib import Path
from typing import Annotated

import typer

from blood_hpo.cli.commands.study import app
from blood_hpo.cli.session import NameOption, StudyArgument, storage
from blood_hpo.errors import InputError, StudyError
from blood_hpo.stages import STOPPED
from blood_hpo.text import printable

PlaceArgument = Annotated[
    str, typer.Argument(help="An SQLite file, or any URL that Optuna can use.", metavar="PLACE")
]


@app.command()
def delete(
    study: StudyArgument, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """Delete a study with all its trials, and with its final stage.

    Example: blood-hpo study delete quickstart --yes
    """
    found = storage()
    from blood_hpo.store.studies import delete_study, pause, trials_of

    trials = trials_of(found, study)
    if not yes:
        listed = " and ".join(f"{name} with its {count} trials" for name, count in trials.items())
        typer.confirm(f"Delete study {printable(listed)}?", abort=True)
    study_id, before = found.study_id(study), found.ask("paused", names=[study])
    pause(found, study_id, STOPPED)  # or a worker could make its next stage meanwhile
    try:
        for name, count in reversed(trials_of(found, study).items()):
            delete_study(found, name)
            typer.echo(f"study {printable(name)}: deleted, {count} trials")
    except Exception:
        pause(found, study_id, before[0].reason if before else None)  # or its workers would leave
        raise


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
        typer.echo(f"study {printable(name)}: {count} trials")
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
        typer.echo(f"study {printable(one)}: {count} trials")


@app.command()
def pause(
    study: StudyArgument,
    reason: Annotated[str, typer.Option(help="Shown to whoever asks.")] = "paused by hand",
) -> None:
    """Let running trials finish and start no more; workers wait, those of "blood-hpo run" end.

    Example: blood-hpo study pause paper --reason "disk is filling up"
    """
    reason = printable(reason).strip() or "paused by hand"
    if reason == STOPPED:
        raise InputError("--reason stopped: that is what `blood-hpo study stop` does; say another")
    _pause(study, reason)
    typer.echo(f"study {study}: paused; go on with `blood-hpo study resume {study}`")


@app.command()
def stop(study: StudyArgument) -> None:
    """Send the workers away, wherever they run: epochs end, and trials go back to the queue.

    The study stays paused: resume it, and start workers, to go on.

    Example: blood-hpo study stop paper
    """
    _pause(study, STOPPED)
    typer.echo(
        f"study {study}: workers leave when their epoch ends (`blood-hpo status {study}`); go on"
        f" with `blood-hpo study resume {study}` and new workers"
    )


@app.command()
def resume(study: StudyArgument) -> None:
    """Let workers of a paused study claim trials again.

    Example: blood-hpo study resume paper
    """
    typer.echo(f"study {study}: {'resumed' if _pause(study, None) else 'was not paused'}")


def _pause(study: str, reason: str | None) -> str | None:
    """Pause a study for a reason, or resume it without one, and say why it was paused before.

    Its note says so at once.
    """
    found = storage()
    from blood_hpo.dashboard.notes import refresh_note
    from blood_hpo.store import studies

    study_id = found.study_id(study)
    if found.ask("study_record", name=study)[0].stage is None:
        raise StudyError(f"study {study} was imported: no worker trains for it")
    (before,) = found.ask("paused", names=[study])
    if reason == STOPPED:
        studies.open_study(found, study)  # or it is a stage, which stops with its search alone
    if reason is None:
        studies.resume(found, study_id)
    else:
        studies.pause(found, study_id, reason)
    refresh_note(found, study_id, least_seconds=0)
    return str(before.reason) if before.reason else None
