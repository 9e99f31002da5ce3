"""Fold-epochs until searches have what a staged grid found: real studies, read from the database.

    python benchmarks/until_grid.py paper-grid paper paper-2 paper-3

prints a row for each study and family. The target is the score of the grid's best configuration,
confirmed on fresh folds where that was done, which takes away the luck of the best of many. Counted
are the epochs of every trial that had ended when the first one reached it, pruned ones too.
"""

import argparse
import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from surroundings import machine

import blood_hpo


class Search(NamedTuple):
    """One family of one study.

    Attributes:
        best: Highest score of a complete trial.
        confirmed: Mean of its winner on fresh folds, or None.
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
    trials = ended.sort_values("finished_at")
    spent, complete = trials.epochs.cumsum(), trials.state == "COMPLETE"
    there = spent[complete & (trials.score >= target)] if target is not None else spent[:0]
    confirmed = study.frame("confirmations")
    winner = confirmed[(confirmed.family == family) & confirmed.winner.eq(True)]
    return Search(
        float(trials.score[complete].max()),
        None if winner.empty else float(winner["mean"].iloc[0]),
        int(spent.iloc[-1]),
        None if there.empty else int(there.iloc[0]),
    )


def share(found: Search, grid: Search) -> float:
    """Of the grid's epochs; infinite where the target was never reached."""
    return float("inf") if found.until is None else found.until / grid.epochs


def rows(grid_name: str, names: Sequence[str], family: str) -> list[str]:
    """The table of a family."""
    grid = search(grid_name, family)
    target = grid.best if grid.confirmed is None else grid.confirmed
    kind = "not confirmed" if grid.confirmed is None else "confirmed"
    found = {name: search(name, family, target) for name in names}
    shares = [share(one, grid) for one in found.values()]
    return [
        f"\n### {family}: {target:.4f}, {kind}, after {grid.epochs:,} epochs of {grid_name}\n",
        "| study | best | confirmed | epochs | until the target | of the grid's |",
        "|---|---|---|---|---|---|",
        *(_row(name, one, share(one, grid)) for name, one in found.items()),
        f"\nMedian of {len(shares)}: {_percent(statistics.median(shares))}",
    ]


def _row(name: str, one: Search, part: float) -> str:
    confirmed = "-" if one.confirmed is None else f"{one.confirmed:.4f}"
    until = "-" if one.until is None else f"{one.until:,}"
    return (
        f"| {name} | {one.best:.4f} | {confirmed} | {one.epochs:,} | {until} | {_percent(part)} |"
    )


def _percent(part: float) -> str:
    return "never" if math.isinf(part) else f"{part:.0%}"


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
