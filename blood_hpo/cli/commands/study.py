"""``blood-hpo status``, and those of ``study`` that create and show; `manage` has the others."""

import time
from pathlib import Path
from typing import Annotated

import typer

from blood_hpo.cli import session
from blood_hpo.cli.output import FormatOption, OutputFormat, print_rows, to_json
from blood_hpo.cli.views.progress import Progress
from blood_hpo.cli.views.snapshot import read
from blood_hpo.cli.views.study_view import print_view
from blood_hpo.cli.views.tables import print_answer, print_answers, print_leaderboards
from blood_hpo.errors import InputError, StudyError
from blood_hpo.stages import SEARCH, stage_names

app = typer.Typer(
    no_args_is_help=True, help="Create, look at, pause, stop, hand over and delete studies."
)


@app.command()
def create(  # noqa: PLR0913, PLR0917 - one parameter an option
    file: Annotated[Path, typer.Argument(help="A study file.", metavar="FILE")],
    name: session.NameOption = None,
    seed: session.SeedOption = None,
    budget: session.BudgetOption = None,
    around: session.AroundOption = None,
    data: session.DataOption = None,
) -> None:
    """Create a study from a file; created again, its budgets become those that are given.

    Example: blood-hpo study create studies/paper.toml --budget mlp=40 --budget cnn=40
    """
    from blood_hpo.cli.creation import Overrides, create_from_file

    study = create_from_file(file, Overrides(name, seed, budget, around), data)
    typer.echo(f"study {study.name}: ready; data {study.data['label']}")
    typer.echo(f"worked on by: blood-hpo worker; by it alone: blood-hpo worker {study.name}")


@app.command("list")
def list_(output: FormatOption = OutputFormat.TABLE) -> None:
    """List the studies in the database.

    Example: blood-hpo study list --format json
    """
    with session.engine() as connected:
        print_answer(connected, "studies", output)


@app.command()
def show(
    study: session.OnlyStudyArgument = None,
    top: session.TopOption = 5,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Show a study's data set, how it stands, and its leaderboards.

    With --format json: the study file, the data set and the leaderboard.

    Example: blood-hpo study show paper --top 3
    """
    with session.engine() as connected:
        name = session.named_or_only(connected, study)
        found = session.study_data(connected, name)
        if output is OutputFormat.CSV:
            print_answer(connected, "leaderboard", output, study=name, top=top)
        elif output is OutputFormat.JSON:
            board = session.ask(connected, "leaderboard", study=name, top=top)
            parts = {"spec": found["spec"], "data": found["data"], "leaderboard": board}
            typer.echo(to_json(parts, indent=2))
        else:
            typer.echo(f"study {name}: {found['description'] or 'no description'}")
            typer.echo(f"data: {found['label']}\nSHA-256: {found['sha256']}\n")
            print_view(read(connected, name))
            typer.echo()
            print_leaderboards(connected, name, found, top)


@app.command()
def best(
    study: session.OnlyStudyArgument = None, output: FormatOption = OutputFormat.TABLE
) -> None:
    """Print the best configuration of each family: the confirmed winner, or the search's best.

    Example: blood-hpo study best quickstart --format json
    """
    with session.engine() as connected:
        print_answer(connected, "best", output, study=session.named_or_only(connected, study))


@app.command()
def check(
    study: session.OnlyStudyArgument = None,
    repair: Annotated[bool, typer.Option("--repair", help="Repair what can be repaired.")] = False,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Look for anything lost, counted twice or left behind; exit code 5 if something is found.

    With --repair: silent trials are enqueued again, lost ones given up, so that their place goes to
    another configuration, and leftover checkpoints on this machine removed; then it looks again.

    Example: blood-hpo study check paper

    Example: blood-hpo study check paper --repair
    """
    opened = session.storage()
    from blood_hpo.worker.janitor import Audit

    name = session.named_or_only(opened.engine, study)
    audit = Audit(opened, name, session.settings())
    if repair:
        audit.repair()
    found = audit.find()
    if found or output is not OutputFormat.TABLE:
        print_rows(("inconsistency", "family", "trial", "worker", "detail"), found, output)
    else:
        typer.echo(f"study {name}: nothing lost, nothing counted twice, nothing left behind")
    if found:
        advice = "it cannot be mended" if repair else f"try: blood-hpo study check {name} --repair"
        raise StudyError(f"study {name!r} has {len(found)} inconsistencies; {advice}")


def status(
    study: session.OnlyStudyArgument = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Refresh until Ctrl-C or the end.")
    ] = False,
    interval: Annotated[float, typer.Option(help="Seconds between refreshes.", min=0.2)] = 2.0,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Show families with time left and best score, workers with their trials, and warnings.

    In a pipe, --watch prints a line every half minute. JSON and CSV hold the families alone, those
    of later stages under the name of their study.

    Example: blood-hpo status quickstart --watch

    Example: blood-hpo status quickstart --format json
    """
    if watch and output is not OutputFormat.TABLE:
        raise InputError("--watch draws for people; leave out --format, or --watch")
    with session.engine() as connected:
        name = session.named_or_only(connected, study)
        if watch:
            found = session.study_data(connected, name)
            final = found["stage"] == SEARCH and found["spec"].get("final") is not None
            with Progress(connected, name, final=final) as progress:
                while not progress.update():
                    time.sleep(interval)
        elif output is OutputFormat.TABLE:
            print_view(read(connected, name))
        else:
            print_answers(connected, "progress", [name, *stage_names(name)], output)
