"""``blood-hpo run`` and ``final``: from files or a search to results, on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blood_hpo.cli import session
from blood_hpo.cli.commands.report import write_page
from blood_hpo.cli.logs import say
from blood_hpo.cli.output import FormatOption, OutputFormat
from blood_hpo.cli.views import tables
from blood_hpo.cli.views.snapshot import read, shortfalls
from blood_hpo.errors import InputError, StudyError

if TYPE_CHECKING:
    from blood_hpo.store.studies import SharedStudy


def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    files: Annotated[
        list[Path], typer.Argument(help="Study files, run in turn.", metavar="FILE...")
    ],
    workers: session.WorkersOption = None,
    name: session.NameOption = None,
    seed: session.SeedOption = None,
    budget: session.BudgetOption = None,
    around: session.AroundOption = None,
    grids: Annotated[
        list[Path] | None,
        typer.Option(
            "--grid",
            metavar="FILE",
            help="Then run this study file around the winners, as STUDY-NAME; repeatable.",
        ),
    ] = None,
    data: session.DataOption = None,
    top: session.TopOption = 5,
    final: session.FinalOption = None,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Run studies from files on this machine and print a leaderboard per family.

    A study whose file asks for a final stage goes on: the best configurations are confirmed, the
    winners and a ResNet retrained and tested, the results printed below the leaderboards and the
    report written to report/STUDY.

    Ctrl-C once drains: epochs end, trials go back to the queue, and the same command goes on from
    there. Ctrl-C twice stops at once. Both end with exit code 130.

    Example: blood-hpo run studies/quickstart.toml --workers 2

    Example: blood-hpo run studies/paper.toml --budget mlp=40 --budget cnn=40 --data bloodmnist.npz

    Example: blood-hpo run studies/paper.toml --name paper-7 --seed 7

    Example: blood-hpo run studies/paper.toml --grid studies/units.toml --grid studies/kernels.toml
    """
    if name is not None and len(files) > 1:
        raise InputError("--name: with several files each study keeps its own; leave it out")
    from blood_hpo.cli.creation import Overrides, beside, create_from_file, refuse_unfit
    from blood_hpo.cli.supervision import processes

    count, ran, lacking = processes(workers), [], list[str]()
    overrides = Overrides(name, seed, budget, around)
    refuse_unfit(files, grids or [], overrides)
    shown = top if output is OutputFormat.TABLE else None

    def one(study: "SharedStudy", final: bool) -> None:
        ran.append(study.name)
        lacking.extend(_work(study, count, data, final, shown))

    for file in files:
        study = create_from_file(file, overrides, data)
        whole = final if final is not None else study.spec.final is not None
        one(study, whole)
        for grid in grids or []:
            one(create_from_file(grid, beside(study.name, grid), data), final=False)
        if whole or grids:
            _report(study.name)
    if output is not OutputFormat.TABLE:
        with session.engine() as connected:
            tables.print_answers(connected, "leaderboard", ran, output, top=top)
    if lacking:
        raise StudyError("; ".join(lacking))


def final(
    study: session.StudyArgument,
    workers: session.WorkersOption = None,
    data: session.DataOption = None,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Confirm the best configurations, retrain the winners and the ResNet, test each model once.

    As the final table of the study file says, or by default. What is left of the search is
    done first, and what is done already is not done again: then the results are printed and the
    report is written to report/STUDY, and no model is tested twice.

    Example: blood-hpo final quickstart --workers 2

    Example: blood-hpo final paper --format json
    """
    from blood_hpo.cli.supervision import processes

    count, opened, table = processes(workers), session.storage(), output is OutputFormat.TABLE
    from blood_hpo.store.studies import open_study

    lacking = _work(open_study(opened, study), count, data, True, 0 if table else None)
    if not table:
        with session.engine() as connected:
            tables.print_answer(connected, "models", output, study=study)
    _report(study)
    if lacking:
        raise StudyError("; ".join(lacking))


def _work(
    study: "SharedStudy", workers: int, data: str | None, final: bool, top: int | None
) -> list[str]:
    """Work on a study, print its tables with so many rows or not at all; what it lacks."""
    from blood_hpo.cli.supervision import work_on

    say("data: %s, SHA-256 %s…", study.data["label"], str(study.data["sha256"])[:12])
    with session.engine() as connected:
        work_on(study, workers, data, connected, final=final)
        if top:
            tables.print_leaderboards(connected, study.name, study.data, top)
        if final and top is not None:
            tables.print_final(connected, study.name, study.data)
        return shortfalls(read(connected, study.name), final=final)


def _report(study: str) -> None:
    with session.engine() as connected:
        say("report: %s", write_page(connected, study))
