"""``blood-hpo study``: create, look at, pause and delete studies."""

from pathlib import Path
from typing import Annotated

import typer

from blood_hpo.cli.output import FormatOption, OutputFormat, print_rows, to_json
from blood_hpo.cli.session import AroundOption, BudgetOption, DataOption, NameOption, StudyArgument
from blood_hpo.text import printable

app = typer.Typer(no_args_is_help=True, help="Create, look at, pause and delete studies.")

FileArgument = Annotated[Path, typer.Argument(help="A study file.", metavar="FILE")]


@app.command()
def create(
    file: FileArgument,
    name: NameOption = None,
    budget: BudgetOption = None,
    around: AroundOption = None,
    data: DataOption = None,
) -> None:
    """Create a study from a file; created again from the same file, nothing happens.

    Example: blood-hpo study create studies/paper.toml --budget mlp=40 --budget cnn=40
    """
    from blood_hpo.cli.creation import create_from_file

    study = create_from_file(file, name=name, budgets=budget or [], around=around, data=data)
    typer.echo(f"study {study.name}: ready; data {study.data['label']}")
    typer.echo(f"worked on by: blood-hpo worker; by it alone: blood-hpo worker {study.name}")


@app.command("list")
def list_(output: FormatOption = OutputFormat.TABLE) -> None:
    """List the studies in the database.

    Example: blood-hpo study list --format json
    """
    from blood_hpo.cli.session import engine
    from blood_hpo.database.query import run_query

    with engine() as connected:
        found = run_query(connected, "studies")
    print_rows(found.columns, found.rows, output)


@app.command()
def show(
    study: StudyArgument,
    top: Annotated[int, typer.Option(help="Rows per family.", min=1)] = 5,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Show a study's data set, how it stands, and its leaderboards.

    With --format json: the study file, the data set and the leaderboard.

    Example: blood-hpo study show paper --top 3
    """
    from blood_hpo.cli.session import engine, storage
    from blood_hpo.cli.views.snapshot import read
    from blood_hpo.cli.views.study_view import print_view
    from blood_hpo.cli.views.tables import print_leaderboards
    from blood_hpo.database.query import run_query
    from blood_hpo.settings import settings

    opened = storage()
    from blood_hpo.store.studies import open_study

    found = open_study(opened, study)
    with engine() as connected:
        if output is OutputFormat.TABLE:
            typer.echo(f"study {study}: {found.spec.description or 'no description'}")
            typer.echo(f"data: {found.data['label']}, SHA-256 {found.data['sha256']}\n")
            print_view(read(connected, found.name, settings()))
            typer.echo()
            print_leaderboards(connected, found.name, found.data, top, output)
            return
        best = run_query(connected, "leaderboard", study=study, top=top)
    if output is OutputFormat.CSV:
        print_rows(best.columns, best.rows, output)
        return
    board = [dict(zip(best.columns, row, strict=True)) for row in best.rows]
    spec = found.spec.model_dump(mode="json")
    typer.echo(to_json({"spec": spec, "data": dict(found.data), "leaderboard": board}, indent=2))


@app.command()
def pause(
    study: StudyArgument,
    reason: Annotated[str, typer.Option(help="Shown to whoever asks.")] = "paused by hand",
) -> None:
    """Let running trials finish and start no more.

    Example: blood-hpo study pause paper --reason "disk is filling up"
    """
    from blood_hpo.cli.session import storage

    found = storage()
    from blood_hpo.dashboard.notes import refresh_note
    from blood_hpo.store import studies

    study_id = found.study_id(study)
    studies.pause(found, study_id, printable(reason))
    refresh_note(found, study_id, least_seconds=0)
    typer.echo(f"study {study}: paused; go on with `blood-hpo study resume {study}`")


@app.command()
def resume(study: StudyArgument) -> None:
    """Let workers of a paused study claim trials again.

    Example: blood-hpo study resume paper
    """
    from blood_hpo.cli.session import storage

    found = storage()
    from blood_hpo.dashboard.notes import refresh_note
    from blood_hpo.store import studies

    study_id = found.study_id(study)
    studies.resume(found, study_id)
    refresh_note(found, study_id, least_seconds=0)
    typer.echo(f"study {study}: resumed")


@app.command()
def check(
    study: StudyArgument,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Look for anything lost, counted twice or left behind; exit code 5 if something is found.

    With --repair: silent trials are enqueued again, lost ones given up, so that their place goes to
    another configuration, and leftover checkpoints on this machine removed; then it looks again.

    Example: blood-hpo study check paper

    Example: blood-hpo study check paper --repair
    """
    from dataclasses import astuple

    from blood_hpo.cli.session import engine, storage
    from blood_hpo.cli.views.tables import print_check
    from blood_hpo.errors import StudyError
    from blood_hpo.settings import settings

    opened = storage()
    from blood_hpo.worker.audit import Audit

    audit = Audit(opened, study, settings())
    if repair:
        audit.repair()
    found = [astuple(one) for one in audit.find()]
    with engine() as connected:
        print_check(connected, study, found, output)
    if found:
        advice = "it cannot be mended" if repair else f"try: blood-hpo study check {study} --repair"
        raise StudyError(f"study {study!r} has {len(found)} inconsistencies; {advice}")


@app.command()
def delete(
    study: StudyArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a study with all its trials, and with its final stage.

    Example: blood-hpo study delete quickstart --yes
    """
    from blood_hpo.cli.session import storage

    found = storage()
    from blood_hpo.store.studies import trials_of

    trials = trials_of(found, study)
    if not yes:
        listed = " and ".join(f"{name} with its {count} trials" for name, count in trials.items())
        typer.confirm(f"Delete study {listed}?", abort=True)
    for name, count in reversed(trials.items()):
        found.delete_study(found.study_id(name))
        typer.echo(f"study {name}: deleted, {count} trials")
