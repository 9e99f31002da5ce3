"""``blood-hpo trial``: look at trials and their files, or run one again."""

from pathlib import Path
from typing import Annotated

import typer

from blood_hpo.cli import session
from blood_hpo.cli.logs import say
from blood_hpo.cli.output import FormatOption, OutputFormat, print_rows, window
from blood_hpo.cli.views.tables import print_answer
from blood_hpo.cli.views.trial_view import read_facts, trial_view
from blood_hpo.errors import BloodHpoError
from blood_hpo.text import printable

app = typer.Typer(no_args_is_help=True, help="Look at trials and their files, or run one again.")

NumberArgument = Annotated[int, typer.Argument(help="Number of the trial.", min=0)]


@app.command("list")
def list_(
    study: session.OnlyStudyArgument = None, output: FormatOption = OutputFormat.TABLE
) -> None:
    """List the trials of a study.

    Example: blood-hpo trial list quickstart
    """
    with session.engine() as connected:
        print_answer(connected, "trials", output, study=session.named_or_only(connected, study))


@app.command()
def show(
    study: session.StudyArgument, number: NumberArgument, output: FormatOption = OutputFormat.TABLE
) -> None:
    """Show a trial's configuration, folds and curves, and all attempts at it.

    JSON and CSV hold everything that is recorded about it but the curves.

    Example: blood-hpo trial show quickstart 7
    """
    with session.engine() as connected:
        found = read_facts(connected, study, number)
    trial = found["trial"]
    if output is OutputFormat.TABLE:
        for line in trial_view(found, window()):
            typer.echo(line)
    else:
        print_rows(list(trial), [list(trial.values())], output)


@app.command()
def files(
    study: session.StudyArgument,
    number: Annotated[int | None, typer.Argument(help="Of this trial alone.", min=0)] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the files into this folder.", metavar="DIR")
    ] = None,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """List the files that trials left, models among them, and download them with --out.

    Example: blood-hpo trial files quickstart-final

    Example: blood-hpo trial files quickstart-final 0 --out models
    """
    from blood_hpo.database.artefacts import listing, load

    with session.engine() as connected:
        session.study_data(connected, study)  # which must exist
        wanted = "" if number is None else f"{number}/"
        if number is not None:
            read_facts(connected, study, number)  # nor may it be missing
        found = [one for one in listing(connected, study) if one.name.startswith(wanted)]
        for one in found:
            if out:
                _write(out, one.name, load(connected, study, one.name))
                if one.name.endswith(".keras"):  # so that `predict` takes it
                    _write(out, f"{one.name}.sha256", f"{one.sha256}\n".encode())
    for_people = output is OutputFormat.TABLE
    columns = ("file", "bytes") if for_people else ("file", "bytes", "sha256")
    print_rows(columns, [(one.name, one.size, one.sha256)[: len(columns)] for one in found], output)


def _write(folder: Path, name: str, content: bytes) -> None:
    # Names come from the database, whoever wrote them: without a slash none leads elsewhere.
    path = folder / printable(name).replace("/", "-").lstrip(".")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    say("%s", path)


@app.command()
def replay(
    study: session.StudyArgument,
    number: NumberArgument,
    data: session.DataOption = None,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Train a finished trial of a search again and compare its fold scores with the recorded ones.

    Exit code 1 if they differ. On the same kind of processor and the same library versions they
    are equal to the last bit.

    Example: blood-hpo trial replay quickstart 7
    """
    opened = session.storage()
    from blood_hpo.store.studies import open_study
    from blood_hpo.training.runtime import configure

    found = open_study(opened, study)
    source = session.data_source(data, synthetic=bool(found.data["synthetic"]))
    found.refuse_other_data(source)
    configure()
    from blood_hpo.search.dataset import search_data
    from blood_hpo.worker.machine import processor, program
    from blood_hpo.worker.search_stage import finished_trial, replay

    trial = finished_trial(found, number)

    def progress(epoch: int, score: float) -> None:
        say("epoch %d/%d: %.4f", epoch, trial.epoch, score)

    replayed = replay(found, trial, search_data(found.spec, source), progress)
    pairs = zip(trial.fold_scores or (), replayed, strict=True)
    rows = [(fold, a, b, a == b) for fold, (a, b) in enumerate(pairs, start=1)]
    print_rows(("fold", "recorded", "replayed", "same"), rows, output)
    if not all(same for *_, same in rows):
        raise BloodHpoError(
            f"trial {number} differs: {trial.program} trained it on {trial.processor},"
            f" and this is {program()} on {processor()}"
        )
