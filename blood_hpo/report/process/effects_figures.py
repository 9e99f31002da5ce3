"""Drawings of grid studies: the effect of one or two hyperparameters, all others held."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from blood_hpo.report.page import theme
from blood_hpo.report.page.cells import shortened
from blood_hpo.report.page.document import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Effects = Mapping[tuple[int, ...], tuple[float, float]]
"""Mean over the folds and their standard deviation, by the values that were varied."""

THEIRS = "original report"
LOOKS = {"s": "cnn", "o": "mlp", "D": "other", "^": "resnet"}
"""Markers of the kernel sizes, and whose colours they borrow."""


class Compared(NamedTuple):
    """What a grid measured of an objective, beside the original report's.

    The first is the name of the drawing.
    """

    name: str
    study: str
    objective: str
    ours: Effects
    theirs: Effects

    @property
    def label(self) -> str:
        """What the legend calls the grid."""
        return f"study {shortened(self.study, 24)}"

    @property
    def best(self) -> tuple[tuple[int, ...], float]:
        """The values with the best mean, and that mean."""
        best = max(self.ours, key=lambda key: self.ours[key][0])
        return best, self.ours[best][0]


def units(found: Compared) -> Figure:
    """Score of the MLP against its number of hidden units, with the original report's."""
    with theme.drawing() as plot:
        axes = plot.subplots()
        for values, ink, marker, label in (
            (found.theirs, theme.MUTED, "d", THEIRS),
            (found.ours, theme.colour("mlp"), "o", found.label),
        ):
            x = [count for (count,) in sorted(values)]
            means, spreads = zip(*(values[one,] for one in x), strict=True)
            axes.errorbar(x, means, spreads, color=ink, marker=marker, capsize=4, label=label)
        _scale(axes, found)
        axes.set(xlabel="hidden units", ylabel=found.objective, title="MLP: width")
        theme.legend_above(axes)
        (best,), score = found.best
        facts = {"study": found.study, "best": best, "score": score}
        return theme.figure(plot, "units", found.name, **facts)


def kernels(found: Compared) -> Figure:
    """Score of the CNN over the number of filters, one line a kernel size, with the original's."""
    sizes = sorted({size for size, _ in found.ours})
    with theme.drawing() as plot:
        axes = plot.subplots()
        for place, (size, marker) in enumerate(zip(sizes, LOOKS, strict=False)):
            ink, label = theme.colour(LOOKS[marker]), f"{size} x {size}"
            x = sorted(count for one, count in found.ours if one == size)
            means, spreads = zip(*(found.ours[size, one] for one in x), strict=True)
            shifted = [one * 1.035 ** (place - (len(sizes) - 1) / 2) for one in x]
            axes.errorbar(shifted, means, spreads, color=ink, marker=marker, capsize=3, label=label)
            x = sorted(count for one, count in found.theirs if one == size)
            means = tuple(found.theirs[size, one][0] for one in x)
            axes.plot(x, means, color=ink, linestyle=":", linewidth=1.2, alpha=0.8)
        for style, label in (("-", found.label), (":", THEIRS)):
            axes.plot([], [], color=theme.MUTED, linestyle=style, label=label)
        _scale(axes, found)
        axes.set(xlabel="filters", ylabel=found.objective, title="CNN: kernels and filters")
        axes.legend(loc="lower right")
        (kernel, filters), score = found.best
        facts = {"study": found.study, "kernel": kernel, "filters": filters, "score": score}
        return theme.figure(plot, "kernels", found.name, **facts)


def _scale(axes: "Axes", found: Compared) -> None:
    """A logarithmic axis of the last value that was varied, with a tick at each."""
    axes.set_xscale("log", base=2)
    ticks = sorted({values[-1] for values in [*found.ours, *found.theirs]})
    axes.set_xticks(ticks, [str(one) for one in ticks])
