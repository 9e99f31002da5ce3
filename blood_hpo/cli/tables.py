"""Progress and leaderboards as the commands print them, with the data set named above."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from blood_hpo.cli.output import OutputFormat, print_rows

if TYPE_CHECKING:
    from sqlalchemy import Engine


def say_data(data: Mapping[str, object]) -> None:
    """Name the data set on standard error, in bold where it is synthetic."""
    from rich.console import Console

    style = "bold red" if data["synthetic"] else ""
    checksum = str(data["sha256"])[:12]
    console = Console(stderr=True, highlight=False)
    console.print(f"data: {data['label']}, SHA-256 {checksum}…", style=style, markup=False)


def print_progress(
    connected: "Engine", study: str, data: Mapping[str, object], output: OutputFormat
) -> None:
    """Print one line a family: budget, states, best score, time left."""
    from blood_hpo.database.query import run_query

    found = run_query(connected, "progress", study=study)
    print_rows(found.columns, found.rows, output, title=f"{study} on {data['label']}")


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


def short(value: object) -> str:
    """A setting in at most four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
