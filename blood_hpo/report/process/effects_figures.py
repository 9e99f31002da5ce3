"""Drawings of grid studies: the effect of one or two hyperparameters, all others held."""

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING

from blood_hpo.report.page import theme
from blood_hpo.report.page.cells import shortened
from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.words import said

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Effects = Mapping[tuple[int, ...], tuple[float, float]]
"""Mean over the folds and their standard deviation, by the values that were varied."""

THEIRS = "original report"
LOOKS = {"s": "cnn", "o": "mlp", "D": "other", "^": "resnet"}
"""Markers of the kernel sizes, and whose colours they borrow."""


def units(name: str, study: str, objective: str, ours: Effects, theirs: Effects) -> Figure:
    """Score of the MLP against its number of hidden units, with the original report's."""
    with theme.drawing() as plot:
        axes = plot.subplots()
        for values, ink, marker, label in (
            (theirs, theme.MUTED, "d", THEIRS),
            (ours, theme.colour("mlp"), "o", _label(study)),
        ):
            x = [count for (count,) in sorted(values)]
            if x:
                means, spreads = zip(*(values[one,] for one in x), strict=True)
                axes.errorbar(x, means, spreads, color=ink, marker=marker, capsize=4, label=label)
        _scale(axes, {**ours, **theirs})
        axes.set(xlabel="hidden units", ylabel=objective, title="MLP: width")
        theme.legend_above(axes)
        (best,), score = _best(ours)
        facts = {"study": study, "best": best, "score": score}
        return theme.figure(plot, "units", name, theirs=said("diamonds") if theirs else "", **facts)


def kernels(name: str, study: str, objective: str, ours: Effects, theirs: Effects) -> Figure:
    """Score of the CNN over the number of filters, one line a kernel size, with the original's."""
    sizes = sorted({size for size, _ in ours})
    with theme.drawing() as plot:
        axes = plot.subplots()
        for place, (size, marker) in enumerate(zip(sizes, cycle(LOOKS), strict=False)):
            ink, label = theme.colour(LOOKS[marker]), f"{size} x {size}"
            x = sorted(count for one, count in ours if one == size)
            means, spreads = zip(*(ours[size, one] for one in x), strict=True)
            shifted = [one * 1.035 ** (place - (len(sizes) - 1) / 2) for one in x]
            axes.errorbar(shifted, means, spreads, color=ink, marker=marker, capsize=3, label=label)
            x = sorted(count for one, count in theirs if one == size)
            means = tuple(theirs[size, one][0] for one in x)
            axes.plot(x, means, color=ink, linestyle=":", linewidth=1.2, alpha=0.8)
        for style, label in (("-", _label(study)), (":", THEIRS))[: 2 if theirs else 1]:
            axes.plot([], [], color=theme.MUTED, linestyle=style, label=label)
        _scale(axes, {**ours, **theirs})
        axes.set(xlabel="filters", ylabel=objective, title="CNN: kernels and filters")
        axes.legend(loc="lower right")
        (kernel, filters), score = _best(ours)
        facts = {"study": study, "kernel": kernel, "filters": filters, "score": score}
        return theme.figure(plot, "kernels", name, theirs=said("dotted") if theirs else "", **facts)


def _scale(axes: "Axes", values: Effects) -> None:
    """A logarithmic axis of the last value that was varied, with a tick at each."""
    axes.set_xscale("log", base=2)
    ticks = sorted({one[-1] for one in values})
    axes.set_xticks(ticks, [str(one) for one in ticks])


def _label(study: str) -> str:
    """What the legend calls a grid."""
    return f"study {shortened(study, 24)}"


def _best(found: Effects) -> tuple[tuple[int, ...], float]:
    """The values with the best mean, and that mean."""
    best = max(found, key=lambda key: found[key][0])
    return best, found[best][0]
