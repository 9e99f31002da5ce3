"""Progress and leaderboards as the commands print them, with the data set named above."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from blood_hpo.cli.output import OutputFormat, print_rows
from blood_hpo.final.names import FINAL, stage_name

if TYPE_CHECKING:
    from sqlalchemy import Engine


def say_data(data: Mapping[str, object]) -> None:
    """Name the data set on standard error, in bold where it is synthetic."""
    from rich.console import Console

    style = "bold red" if data["synthetic"] else ""
    checksum = str(data["sha256"])[:12]
    console = Console(stderr=True, highlight=False)
    console.print(f"data: {data['label']}, SHA-256 {checksum}…", style=style, markup=False)


def leaderboard(
    connected: "Engine", studies: Sequence[str], top: int
) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    """Columns and rows of the best complete trials of some studies, for programs."""
    from blood_hpo.database.query import run_query

    found = {name: run_query(connected, "leaderboard", study=name, top=top) for name in studies}
    columns = next(iter(found.values())).columns
    rows = [(name, *row) for name, board in found.items() for row in board.rows]
    return ("study", *columns), rows


def print_leaderboards(
    connected: "Engine", study: str, data: Mapping[str, object], top: int, output: OutputFormat
) -> None:
    """Print the best complete trials, a table a family; one list for programs."""
    from blood_hpo.database.query import run_query

    found = run_query(connected, "leaderboard", study=study, top=top)
    if output is not OutputFormat.TABLE:
        print_rows(found.columns, found.rows, output)
        return
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    for family in dict.fromkeys(row["family"] for row in rows):
        own = [_readable(row) for row in rows if row["family"] == family]
        title = f"{study}, {family}: best of the search on {data['label']}"
        print_rows(list(own[0]), [list(row.values()) for row in own], output, title=title)
    if not rows:
        sys.stderr.write(f"{study}: no trial is complete yet\n")


def _readable(row: Mapping[str, object]) -> dict[str, object]:
    """A leaderboard row for people: the spread beside the score, settings as name=value."""
    params = row["params"]
    assert isinstance(params, Mapping)
    return {
        "rank": row["rank"],
        "trial": row["number"],
        "score": f"{row['score']:.4f}",
        "sd": "-" if row["sd"] is None else f"{row['sd']:.4f}",
        "epochs": row["epochs_trained"],
        "seconds": row["seconds"],
        "parameters": row["parameter_count"],
        "configuration": " ".join(f"{name}={short(value)}" for name, value in params.items()),
    }


def print_final(
    connected: "Engine", study: str, data: Mapping[str, object], output: OutputFormat
) -> None:
    """Print the confirmed configurations and the tested models; the models alone for programs."""
    from blood_hpo.database.query import run_query

    models = run_query(connected, "models", study=study)
    if output is not OutputFormat.TABLE:
        print_rows(models.columns, models.rows, output)
        return
    confirmed = run_query(connected, "confirmation", study=study)
    rows = [_confirmed(dict(zip(confirmed.columns, row, strict=True))) for row in confirmed.rows]
    if rows:
        title = f"{study}: confirmed on fresh folds of {data['label']}"
        print_rows(list(rows[0]), [list(row.values()) for row in rows], output, title=title)
    rows = [_tested(dict(zip(models.columns, row, strict=True))) for row in models.rows]
    if rows:
        title = f"{study}: tested once on the test split of {data['label']}"
        print_rows(list(rows[0]), [list(row.values()) for row in rows], output, title=title)
    else:
        sys.stderr.write(f"{study}: no model has been tested yet\n")
    _say_missing(connected, stage_name(study, FINAL))


def _say_missing(connected: "Engine", stage: str) -> None:
    """Name the models that the study asks for and does not have."""
    from blood_hpo.database.query import run_query

    found = run_query(connected, "progress", study=stage)
    for row in (dict(zip(found.columns, row, strict=True)) for row in found.rows):
        missing = int(str(row["budget"])) - int(str(row["counted"]))
        if missing > 0:
            sys.stderr.write(
                f"{stage}: {missing} of {row['budget']} models of {row['family']} are missing;"
                f" if they failed, `blood-hpo study resume {stage}` and then `blood-hpo final"
                f" {stage.removesuffix('-final')}` try them again\n"
            )


def _confirmed(row: Mapping[str, Any]) -> dict[str, object]:
    params = {name: value for name, value in row["params"].items() if name != "model"}
    return {
        "family": row["family"],
        "rank": row["rank"],
        "trial": row["number"],
        "search": f"{row['search_score']:.4f}",
        "confirmed": f"{row['mean']:.4f}",
        "95 %": "-" if row["low"] is None else f"{row['low']:.4f} to {row['high']:.4f}",
        "behind": f"{row['behind']:.4f}",
        "differs": "winner" if row["winner"] else "yes" if row["separable"] else "no",
        "configuration": " ".join(f"{name}={short(value)}" for name, value in params.items()),
    }


def _tested(row: Mapping[str, Any]) -> dict[str, object]:
    source = "-" if row["source_trial"] is None else row["source_trial"]
    averaged = row["averaged_accuracy"]
    return {
        "family": row["family"],
        "from": row["recipe"],
        "trial": source,
        "seed": row["seed_number"],
        "parameters": row["parameter_count"],
        "epochs": f"{row['best_epoch']}/{row['epochs_trained']}",
        "validation": f"{row['validation_accuracy']:.4f}",
        "test": f"{row['test_accuracy']:.4f}",
        "balanced": f"{row['test_balanced_accuracy']:.4f}",
        "errors": row["test_errors"],
        "averaged": "-" if averaged is None else f"{averaged:.4f}",
        "seconds": row["seconds"],
    }


def print_check(
    connected: "Engine", study: str, found: Sequence[Sequence[object]], output: OutputFormat
) -> None:
    """Print what an audit found; for people also what it counted."""
    from blood_hpo.database.query import run_query

    columns = ("inconsistency", "family", "trial", "worker", "detail")
    if output is not OutputFormat.TABLE:
        print_rows(columns, found, output)
        return
    counted = run_query(connected, "budget", study=study)
    print_rows(counted.columns, counted.rows, output, title=f"{study}: budgets")
    if found:
        print_rows(columns, found, output, title=f"{study}: inconsistencies")
    else:
        typer.echo("nothing lost, nothing counted twice, nothing left behind")


def short(value: object) -> str:
    """A setting in at most four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
