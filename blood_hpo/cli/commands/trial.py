"""``blood-hpo trial``: look at one trial, or run it again."""

from typing import Annotated

import typer

from blood_hpo.cli.output import FormatOption, OutputFormat, print_rows
from blood_hpo.cli.session import DataOption, StudyArgument

app = typer.Typer(no_args_is_help=True, help="Look at one trial, or run it again.")

NumberArgument = Annotated[int, typer.Argument(help="Number of the trial.", min=0)]


@app.command()
def show(
    study: StudyArgument, number: NumberArgument, output: FormatOption = OutputFormat.TABLE
) -> None:
    """Show a trial's configuration, folds and curves, and all attempts at it.

    JSON and CSV hold everything that is recorded about it but the curves.

    Example: blood-hpo trial show quickstart 7
    """
    from blood_hpo.cli.session import engine
    from blood_hpo.cli.views.study_view import print_parts
    from blood_hpo.cli.views.trial_view import read_trial, trial_view
    from blood_hpo.errors import StudyError

    with engine() as connected:
        found = read_trial(connected, study, number)
    if found is None:
        raise StudyError(
            f"study {study!r} has no trial {number}; see `blood-hpo study show {study}`"
        )
    if output is OutputFormat.TABLE:
        print_parts(*trial_view(found))
    else:
        print_rows(list(found.trial), [list(found.trial.values())], output)


@app.command()
def replay(
    study: StudyArgument,
    number: NumberArgument,
    data: DataOption = None,
    output: FormatOption = OutputFormat.TABLE,
) -> None:
    """Train a finished trial again and compare its fold scores with the recorded ones.

    Exit code 1 if they differ. On the same kind of processor and the same library versions they
    are equal to the last bit.

    Example: blood-hpo trial replay quickstart 7
    """
    import sys
    from pathlib import Path

    from blood_hpo.cli.session import storage

    opened = storage()
    from blood_hpo.data.bloodmnist import find
    from blood_hpo.settings import settings
    from blood_hpo.store.studies import open_study
    from blood_hpo.training.runtime import configure

    found = open_study(opened, study)
    source = find(
        Path(data) if data else None,
        settings=settings(),
        synthetic=bool(found.data["synthetic"]),
    )
    found.refuse_other_data(source)
    configure()
    from blood_hpo.search.dataset import search_data
    from blood_hpo.worker.replay import finished_trial, replay

    trial = finished_trial(found, number)
    epochs = trial.epoch

    def progress(epoch: int, score: float) -> None:
        sys.stderr.write(f"epoch {epoch}/{epochs}: {score:.4f}\n")

    result = replay(found, trial, search_data(found.spec, source), progress)
    pairs = list(zip(result.recorded, result.replayed, strict=True))
    rows = [(fold, a, b, a == b) for fold, (a, b) in enumerate(pairs, start=1)]
    print_rows(("fold", "recorded", "replayed", "same"), rows, output)
    if not result.same:
        raise typer.Exit(1)
