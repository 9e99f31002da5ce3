"""Progress and leaderboards as the commands print them, with the data set named above."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from blood_hpo.cli.output import OutputFormat, print_rows
from blood_hpo.cli.views.charts import duration
from blood_hpo.cli.views.snapshot import ask
from blood_hpo.stages import FINAL, stage_name

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
        _print(own, f"{study}, {family}: best of the search on {data['label']}")
    if not rows:
        sys.stderr.write(f"{study}: no trial is complete yet\n")


def _print(rows: Sequence[Mapping[str, object]], title: str) -> None:
    if rows:
        print_rows(
            list(rows[0]), [list(row.values()) for row in rows], OutputFormat.TABLE, title=title
        )


def _readable(row: Mapping[str, Any]) -> dict[str, object]:
    """A leaderboard row for people: the spread beside the score."""
    return {
        "rank": row["rank"],
        "trial": row["number"],
        "score": score(row["score"]),
        "sd": score(row["sd"]),
        "epochs": row["epochs"],
        "time": duration(row["seconds"]),
        "parameters": row["parameter_count"],
        "configuration": row["params"],
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
    confirmed = [_confirmed(row) for row in ask(connected, "confirmation", study=study)]
    _print(confirmed, f"{study}: confirmed on fresh folds of {data['label']}")
    tested = [_tested(row) for row in ask(connected, "models", study=study)]
    _print(tested, f"{study}: tested once on the test split of {data['label']}")
    if not tested:
        sys.stderr.write(f"{study}: no model has been tested yet\n")
    _say_missing(connected, stage_name(study, FINAL))


def _say_missing(connected: "Engine", stage: str) -> None:
    """Name the models that the study asks for and does not have."""
    for row in ask(connected, "progress", study=stage):
        missing = row["budget"] - row["counted"]
        if missing > 0:
            sys.stderr.write(
                f"{stage}: {missing} of {row['budget']} models of {row['family']} are missing;"
                f" if they failed, `blood-hpo study resume {stage}` and then `blood-hpo final"
                f" {stage.removesuffix('-final')}` try them again\n"
            )


def _confirmed(row: Mapping[str, Any]) -> dict[str, object]:
    ends = None if row["low"] is None else f"{score(row['low'])} to {score(row['high'])}"
    said = {True: "yes", False: "no", None: None}[row["separable"]]
    return {
        "family": row["family"],
        "rank": row["rank"],
        "trial": row["number"],
        "search": score(row["search_score"]),
        "confirmed": score(row["mean"]),
        "95 %": ends,
        "behind": score(row["behind"]),
        "differs": row["left_out"] or ("winner" if row["winner"] else said),
        "configuration": row["params"],
    }


def _tested(row: Mapping[str, Any]) -> dict[str, object]:
    return {
        "family": row["family"],
        "from": row["recipe"],
        "trial": row["source_number"],
        "seed": row["seed_number"],
        "parameters": row["parameter_count"],
        "epochs": f"{row['best_epoch']}/{row['epochs']}",
        "validation": score(row["validation_accuracy"]),
        "test": score(row["test_accuracy"]),
        "balanced": score(row["test_balanced_accuracy"]),
        "errors": row["test_errors"],
        "averaged": score(row["averaged_accuracy"]),
        "time": duration(row["seconds"]),
    }


def print_check(
    connected: "Engine", study: str, found: Sequence[Sequence[object]], output: OutputFormat
) -> None:
    """Print what an audit found; for people also what it counted."""
    columns = ("inconsistency", "family", "trial", "worker", "detail")
    if output is not OutputFormat.TABLE:
        print_rows(columns, found, output)
        return
    names = ("family", "budget", "counted", "running", "waiting", "remaining")
    counted = [
        {name: row[name] for name in names} for row in ask(connected, "progress", study=study)
    ]
    _print(counted, f"{study}: budgets")
    if found:
        print_rows(columns, found, output, title=f"{study}: inconsistencies")
    else:
        typer.echo("nothing lost, nothing counted twice, nothing left behind")


def short(value: object) -> str:
    """A setting in at most four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def score(value: float | None) -> str | None:
    """A score in four decimals."""
    return None if value is None else f"{value:.4f}"
