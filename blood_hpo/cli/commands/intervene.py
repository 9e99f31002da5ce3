"""``blood-hpo study pause``, ``stop`` and ``resume``: whether workers may go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from blood_hpo.cli.commands.study import app
from blood_hpo.cli.session import StudyArgument, storage
from blood_hpo.stages import STOPPED
from blood_hpo.text import printable

if TYPE_CHECKING:
    from blood_hpo.store.storage import StudyStorage


@app.command()
def pause(
    study: StudyArgument,
    reason: Annotated[str, typer.Option(help="Shown to whoever asks.")] = "paused by hand",
) -> None:
    """Let running trials finish and start no more; workers wait, those of "blood-hpo run" end.

    Example: blood-hpo study pause paper --reason "disk is filling up"
    """
    _pause(study, printable(reason))
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
    with _changing(study) as (found, study_id):
        from blood_hpo.store import studies

        studies.resume(found, study_id)
    typer.echo(f"study {study}: resumed")


def _pause(study: str, reason: str) -> None:
    with _changing(study) as (found, study_id):
        from blood_hpo.store import studies

        studies.pause(found, study_id, reason)


@contextmanager
def _changing(study: str) -> "Iterator[tuple[StudyStorage, int]]":
    """A study that is changed, whose note then says so."""
    found = storage()
    from blood_hpo.dashboard.notes import refresh_note

    study_id = found.study_id(study)
    yield found, study_id
    refresh_note(found, study_id, least_seconds=0)
