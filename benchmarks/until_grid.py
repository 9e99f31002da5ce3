"""Fold-epochs until searches have what a staged grid found: real studies, read from the database.

    python benchmarks/until_grid.py paper-grid paper paper-2 paper-3

prints a row for each study and family, the grid itself first. The target is the score of the grid's
best configuration on fresh folds, where that was confirmed. What reaches it is one search
score, with its luck, of the grid as of the others. Counted are the epochs until then of all trials,
of those in training as much as of the time they took.
"""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from surroundings import machine

import blood_hpo


class Search(NamedTuple):
    """One family of one study.

    Attributes:
        best: Highest score of a complete trial.
        confirmed: Highest mean on fresh folds, or None.
        epochs: Of all trials and folds.
        until: Epochs when the target was reached, or None.
    """

    best: float
    confirmed: float | None
    epochs: int
    until: int | None


def search(name: str, family: str, target: float | None = None) -> Search:
    """Read a family of a study."""
    study = blood_hpo.open_study(name)
    every = study.trials()
    ended = every[every.state.isin(["COMPLETE", "PRUNED"]) & (every.family == family)]
    complete = ended[ended.state == "COMPLETE"]
    confirmed = study.frame("confirmations")
    means = confirmed["mean"][confirmed.family == family]
    mean = None if means.empty else float(means.max())
    best = float(complete.score.max())
    goal = target if target is not None else best if mean is None else mean
    reached = complete.finished_at[complete.score >= goal].min()
    took = ended.finished_at - ended.started_at
    share = ((reached - ended.started_at) / took).clip(0, 1)
    until = None if pd.isna(reached) else round(float((share * ended.epochs).sum()))
    return Search(best, mean, int(ended.epochs.sum()), until)


def rows(grid_name: str, names: Sequence[str], family: str) -> list[str]:
    """The table of a family."""
    grid = search(grid_name, family)
    target = grid.best if grid.confirmed is None else grid.confirmed
    kind = "not confirmed" if grid.confirmed is None else "confirmed"
    found = {name: search(name, family, target) for name in names}
    return [
        f"\n### {family}: {target:.4f}, {kind}\n",
        "| study | best | confirmed | epochs | until | of the grid's | of its until |",
        "|---|---|---|---|---|---|---|",
        *(_row(name, one, grid) for name, one in {grid_name: grid, **found}.items()),
    ]


def _row(name: str, one: Search, grid: Search) -> str:
    confirmed = "-" if one.confirmed is None else f"{one.confirmed:.4f}"
    until = "never" if one.until is None else f"{one.until:,}"
    shares = f"{_percent(one.until, grid.epochs)} | {_percent(one.until, grid.until)}"
    return f"| {name} | {one.best:.4f} | {confirmed} | {one.epochs:,} | {until} | {shares} |"


def _percent(part: int | None, whole: int | None) -> str:
    return f"{part / whole:.0%}" if part is not None and whole else "-"


def main() -> None:
    """Print a table a family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("grid", help="A staged grid study.")
    parser.add_argument("studies", nargs="+", help="Searches of the same spaces.")
    options = parser.parse_args()
    print(machine())
    for family in ("mlp", "cnn"):
        print("\n".join(rows(options.grid, options.studies, family)))


if __name__ == "__main__":
    main()
