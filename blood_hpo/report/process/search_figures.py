"""Drawings of how a search went: scores, importance."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.cells import words
from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import (
    INK,
    MARKERS,
    MUTED,
    WIDTH,
    colour,
    drawing,
    figure,
    legend_above,
    whole_numbers,
)
from blood_hpo.report.read.search_study import family_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def history(family: str, trials: Sequence[TrialRecord], objective: str) -> Figure:
    """Score of every finished trial in order, and the best so far.

    Args:
        family: Their family.
        trials: Complete and pruned trials with a score, by number; at least one is complete.
        objective: Name of the score.
    """
    name = family_name(family)
    scores = np.array([one.score for one in trials], dtype=float)
    complete = np.array([one.state == "COMPLETE" for one in trials])
    floor = _floor(scores)
    with drawing() as plot:
        axes = plot.subplots()
        _points(axes, family, scores, complete, floor)
        best = np.fmax.accumulate(np.where(complete, scores, math.nan))
        axes.step(range(1, len(best) + 1), best, where="post", color=colour(family), label="best")
        axes.set(xlabel="trial of this family", ylabel=objective, ylim=(floor, None))
        axes.set_title(f"{name}: {len(trials)} trials")
        whole_numbers(axes)
        legend_above(axes)
        return figure(
            plot,
            f"search-history-{family}",
            f"Scores of the {len(trials)} {name} trials in order; the best complete one reaches"
            f" {best[-1]:.4f}.",
            f"{name}: every trial in order, and the best complete one so far. Pruned trials stand"
            " at the score at which they were stopped; triangles at the edge are far below it.",
        )


def _points(
    axes: "Axes", family: str, scores: np.ndarray, complete: np.ndarray, floor: float
) -> None:
    looks: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "complete": (complete, {"marker": MARKERS.get(family, "D"), "color": colour(family)}),
        "pruned": (~complete, {"marker": "x", "color": MUTED, "linewidths": 1.2}),
    }
    for label, (own, look) in looks.items():
        inside = np.flatnonzero(own & (scores >= floor))
        if len(inside):
            axes.scatter(inside + 1, scores[inside], s=26, label=label, alpha=0.85, **look)
    below = np.flatnonzero(scores < floor) + 1
    axes.scatter(below, [floor] * len(below), s=30, marker="v", color=MUTED, clip_on=False)


def _floor(values: np.ndarray) -> float:
    """Where the axis begins: a few hopeless trials must not squeeze all others together."""
    ordered = sorted(values.tolist())
    low, high = ordered[len(ordered) // 10], ordered[-1]
    return float(low - 0.08 * (high - low or 0.1))


def importance(family: str, values: Mapping[str, tuple[float, float]]) -> Figure:
    """Permutation importance of each hyperparameter, as bars with their spread.

    Args:
        family: The family.
        values: Mean and standard deviation over the shuffles, by hyperparameter.
    """
    name = family_name(family)
    ordered = sorted(values.items(), key=lambda item: (item[1][0], item[0]))
    labels = [words(key) for key, _ in ordered]
    with drawing(WIDTH, 0.9 + 0.3 * len(ordered)) as plot:
        axes = plot.subplots()
        means, spreads = zip(*(value for _, value in ordered), strict=True)
        axes.barh(labels, means, color=colour(family), height=0.62, alpha=0.85)
        axes.errorbar(means, labels, xerr=spreads, fmt="none", ecolor=INK, elinewidth=1, capsize=3)
        axes.set(xlabel="loss of R² when shuffled", title=f"{name}: importance")
        axes.grid(visible=False, axis="y")
        return figure(
            plot,
            f"importance-{family}",
            f"Permutation importance of the {name}'s hyperparameters; {labels[-1]} matters most.",
            f"{name}: mean of 20 shuffles and their standard deviation.",
        )
