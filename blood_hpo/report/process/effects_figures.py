"""Drawings of grid studies: the effect of one or two hyperparameters, all others held."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from blood_hpo.report.page.cells import shortened
from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import MUTED, OTHER, colour, drawing, figure, legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Effects = Mapping[tuple[int, ...], tuple[float, float]]
"""Mean over the folds and their standard deviation, by the values that were varied."""

THEIRS = "original report"
WHISKERS = (
    "Mean over the folds; whiskers are one standard deviation of the folds. The original's divides"
    " by the number of folds, ours by one less."
)
LOOKS = ((colour("cnn"), "s"), (colour("mlp"), "o"), (OTHER, "D"), (colour("resnet"), "^"))


class Compared(NamedTuple):
    """What a grid measured of an objective, beside the original report's.

    Attributes:
        name: Of the drawing.
        study: Name of the grid.
        objective: Name of the score.
        ours: The grid's results.
        theirs: The original report's.
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
    with drawing() as plot:
        axes = plot.subplots()
        for values, ink, marker, label in (
            (found.theirs, MUTED, "d", THEIRS),
            (found.ours, colour("mlp"), "o", found.label),
        ):
            x = [count for (count,) in sorted(values)]
            means, spreads = zip(*(values[one,] for one in x), strict=True)
            axes.errorbar(x, means, spreads, color=ink, marker=marker, capsize=4, label=label)
        _scale(axes, found)
        axes.set(xlabel="hidden units", ylabel=found.objective, title="MLP: width")
        legend_above(axes)
        (best,), score = found.best
        return figure(
            plot,
            found.name,
            f"Score of the MLP against its number of hidden units; {best} units are best"
            f" with {score:.4f}.",
            f"Circles: study {found.study}. Diamonds: the {THEIRS}. {WHISKERS} Other settings"
            " differ too.",
        )


def kernels(found: Compared) -> Figure:
    """Score of the CNN over the number of filters, one line a kernel size, with the original's."""
    sizes = sorted({size for size, _ in found.ours})
    with drawing() as plot:
        axes = plot.subplots()
        for place, (size, (ink, marker)) in enumerate(zip(sizes, LOOKS, strict=False)):
            x = sorted(count for one, count in found.ours if one == size)
            means, spreads = zip(*(found.ours[size, one] for one in x), strict=True)
            shifted = [one * 1.035 ** (place - (len(sizes) - 1) / 2) for one in x]
            label = f"{size} x {size}"
            axes.errorbar(shifted, means, spreads, color=ink, marker=marker, capsize=3, label=label)
            x = sorted(count for one, count in found.theirs if one == size)
            means = tuple(found.theirs[size, one][0] for one in x)
            axes.plot(x, means, color=ink, linestyle=":", linewidth=1.2, alpha=0.8)
        for style, label in (("-", found.label), (":", THEIRS)):
            axes.plot([], [], color=MUTED, linestyle=style, label=label)
        _scale(axes, found)
        axes.set(xlabel="filters", ylabel=found.objective, title="CNN: kernels and filters")
        axes.legend(loc="lower right")
        (kernel, filters), score = found.best
        return figure(
            plot,
            found.name,
            f"Score of the CNN against the number of filters, one line a kernel size; {filters}"
            f" filters of {kernel} x {kernel} are best with {score:.4f}.",
            f"Solid, with markers: study {found.study}. Dotted: the {THEIRS}. {WHISKERS} They are"
            " shifted a little so as not to hide each other.",
        )


def _scale(axes: "Axes", found: Compared) -> None:
    """A logarithmic axis of the last value that was varied, with a tick at each."""
    axes.set_xscale("log", base=2)
    ticks = sorted({values[-1] for values in [*found.ours, *found.theirs]})
    axes.set_xticks(ticks, [str(one) for one in ticks])
