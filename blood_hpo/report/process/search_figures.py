"""Drawings of how a search went: scores, importance."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page import theme
from blood_hpo.report.page.cells import words
from blood_hpo.report.page.document import Figure
from blood_hpo.report.read.importance import PARTS, SHUFFLES
from blood_hpo.report.read.search_study import family_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


def history(family: str, trials: Sequence[TrialRecord], objective: str) -> Figure:
    """Score of complete and pruned trials in order, one of them complete, and the best so far."""
    name = family_name(family)
    scores = np.array([one.score for one in trials], dtype=float)
    complete = np.array([one.state == "COMPLETE" for one in trials])
    best = np.fmax.accumulate(np.where(complete, scores, math.nan))
    floor = _floor(scores)
    with theme.drawing() as plot:
        axes = plot.subplots()
        _points(axes, family, scores, complete, floor)
        places, ink = range(1, len(best) + 1), theme.colour(family)
        axes.step(places, best, where="post", color=ink, label="best")
        axes.set(xlabel="trial of this family", ylabel=objective, ylim=(floor, None))
        axes.set_title(f"{name}: {len(trials)} trials")
        theme.whole_numbers(axes)
        theme.legend_above(axes)
        facts = {"family": name, "count": len(trials), "best": best[-1]}
        return theme.figure(plot, "search-history", f"search-history-{family}", **facts)


def _points(axes: "Axes", family: str, scores: Values, complete: Flags, floor: float) -> None:
    marker, ink = theme.MARKERS.get(family, "D"), theme.colour(family)
    looks: dict[str, tuple[Flags, dict[str, Any]]] = {
        "complete": (complete, {"marker": marker, "color": ink}),
        "pruned": (~complete, {"marker": "x", "color": theme.MUTED, "linewidths": 1.2}),
    }
    for label, (own, look) in looks.items():
        inside = np.flatnonzero(own & (scores >= floor))
        if len(inside):
            axes.scatter(inside + 1, scores[inside], s=26, label=label, alpha=0.85, **look)
    below = np.flatnonzero(scores < floor) + 1
    look = {"s": 30, "marker": "v", "color": theme.MUTED}
    axes.scatter(below, [floor] * len(below), clip_on=False, **look)


def _floor(scores: Values) -> float:
    """Where the axis begins: a few hopeless trials must not squeeze all others together."""
    ordered = np.sort(scores)
    low, high = float(ordered[len(ordered) // 10]), float(ordered[-1])
    return low - 0.08 * (high - low or 0.1)


def importance(family: str, values: Mapping[str, tuple[float, float]]) -> Figure:
    """Importance of each hyperparameter: mean and standard deviation over the shuffles."""
    name = family_name(family)
    ordered = sorted(values.items(), key=lambda item: (item[1][0], item[0]))
    labels = [words(key) for key, _ in ordered]
    with theme.drawing(theme.WIDTH, 0.9 + 0.3 * len(ordered)) as plot:
        axes = plot.subplots()
        means, spreads = zip(*(value for _, value in ordered), strict=True)
        axes.barh(labels, means, color=theme.colour(family), height=0.62, alpha=0.85)
        look: dict[str, Any] = {"fmt": "none", "ecolor": theme.INK, "elinewidth": 1, "capsize": 3}
        axes.errorbar(means, labels, xerr=spreads, **look)
        axes.set(xlabel="loss of R² when shuffled", title=f"{name}: importance")
        axes.grid(visible=False, axis="y")
        facts = {"family": name, "first": labels[-1], "shuffles": PARTS * SHUFFLES}
        return theme.figure(plot, "importance", f"importance-{family}", **facts)
