"""Drawings of how a search went: scores, importance, marginal means."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.cells import words
from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import (
    INK,
    MARKERS,
    MUTED,
    WIDTH,
    Canvas,
    colour,
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
    values = [_score(one) for one in trials]
    floor = _floor(values)
    with Canvas() as canvas:
        axes = canvas.plot.subplots()
        _points(axes, trials, family, floor)
        best = _best_so_far(trials)
        axes.step(range(1, len(best) + 1), best, where="post", color=colour(family), label="best")
        axes.set(xlabel="trial of this family", ylabel=objective, ylim=(floor, None))
        axes.set_title(f"{name}: {len(trials)} trials")
        whole_numbers(axes)
        legend_above(axes)
        top = max(_score(one) for one in trials if one.state == "COMPLETE")
        return canvas.figure(
            f"search-history-{family}",
            f"Scores of the {len(trials)} {name} trials in order; the best complete one reaches"
            f" {top:.4f}.",
            f"{name}: every trial in order, and the best complete one so far. Pruned trials stand"
            " at the score at which they were stopped; triangles at the edge are far below it.",
        )


def _points(axes: "Axes", trials: Sequence[TrialRecord], family: str, floor: float) -> None:
    ink = colour(family)
    looks: list[tuple[str, str, dict[str, Any]]] = [
        ("COMPLETE", "complete", {"marker": MARKERS.get(family, "D"), "color": ink}),
        ("PRUNED", "pruned", {"marker": "x", "color": MUTED, "linewidths": 1.2}),
    ]
    placed = list(enumerate(trials, start=1))
    for state, label, look in looks:
        own = [(x, _score(one)) for x, one in placed if one.state == state]
        inside = [(x, y) for x, y in own if y >= floor]
        if inside:
            x, y = zip(*inside, strict=True)
            axes.scatter(x, y, s=26, label=label, alpha=0.85, **look)
    below = [x for x, one in placed if _score(one) < floor]
    axes.scatter(below, [floor] * len(below), s=30, marker="v", color=MUTED, clip_on=False)


def _best_so_far(trials: Sequence[TrialRecord]) -> list[float]:
    best, found = math.nan, []
    for one in trials:
        if one.state == "COMPLETE" and not _score(one) <= best:
            best = _score(one)
        found.append(best)
    return found


def _floor(values: Sequence[float]) -> float:
    """Where the axis begins: a few hopeless trials must not squeeze all others together."""
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 10], ordered[-1]
    return low - 0.08 * (high - low or 0.1)


def _score(trial: TrialRecord) -> float:
    return math.nan if trial.score is None else trial.score


def importance(family: str, values: Mapping[str, tuple[float, float]]) -> Figure:
    """Permutation importance of each hyperparameter, as bars with their spread.

    Args:
        family: The family.
        values: Mean and standard deviation over the shuffles, by hyperparameter.
    """
    name = family_name(family)
    ordered = sorted(values.items(), key=lambda item: (item[1][0], item[0]))
    labels = [words(key) for key, _ in ordered]
    with Canvas(WIDTH, 0.9 + 0.3 * len(ordered)) as canvas:
        axes = canvas.plot.subplots()
        means, spreads = zip(*(value for _, value in ordered), strict=True)
        axes.barh(labels, means, color=colour(family), height=0.62, alpha=0.85)
        axes.errorbar(means, labels, xerr=spreads, fmt="none", ecolor=INK, elinewidth=1, capsize=3)
        axes.set(xlabel="loss of R² when shuffled", title=f"{name}: importance")
        axes.grid(visible=False, axis="y")
        first = labels[-1]
        return canvas.figure(
            f"importance-{family}",
            f"Permutation importance of the {name}'s hyperparameters; {first} matters most.",
            f"{name}: mean of 20 shuffles and their standard deviation.",
        )
