"""Drawings of grid studies: the effect of one or two hyperparameters, all others held."""

from collections.abc import Mapping

from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import LINE, MUTED, OTHER, Canvas, colour, legend_above

Effects = Mapping[tuple[int, ...], tuple[float, float]]
"""Mean over the folds and their standard deviation, by the values that were varied."""

WHISKERS = (
    "Mean over the folds; whiskers are one standard deviation of the folds. The original's divides"
    " by the number of folds, ours by one less."
)


def units(name: str, found: Effects, original: Effects, objective: str) -> Figure:
    """Score of the MLP against its number of hidden units, with the original report's."""
    with Canvas() as canvas:
        axes = canvas.plot.subplots()
        for values, ink, marker, label in (
            (original, MUTED, "d", "original report"),
            (found, colour("mlp"), "o", "this study"),
        ):
            x = [count for (count,) in sorted(values)]
            means, spreads = zip(*(values[one,] for one in x), strict=True)
            axes.errorbar(x, means, spreads, color=ink, marker=marker, capsize=4, label=label)
        axes.set_xscale("log", base=2)
        ticks = sorted(count for (count,) in {*found, *original})
        axes.set_xticks(ticks, [str(one) for one in ticks])
        axes.set(xlabel="hidden units", ylabel=objective, title="MLP: width")
        legend_above(axes)
        best = max(found, key=lambda key: found[key][0])
        return canvas.figure(
            name,
            f"Score of the MLP against its number of hidden units; {best[0]} units are best"
            f" with {found[best][0]:.4f}.",
            f"{WHISKERS} Other settings differ too.",
        )


def kernels(name: str, found: Effects, original: Effects, objective: str) -> Figure:
    """Score of the CNN over the number of filters, one line a kernel size, with the original's."""
    looks = [(colour("cnn"), "s"), (colour("mlp"), "o"), (OTHER, "D"), (colour("resnet"), "^")]
    sizes = sorted({size for size, _ in found})
    with Canvas() as canvas:
        axes = canvas.plot.subplots()
        for place, (size, (ink, marker)) in enumerate(zip(sizes, looks, strict=False)):
            x = sorted(count for one, count in found if one == size)
            means, spreads = zip(*(found[size, one] for one in x), strict=True)
            shifted = [one * 1.035 ** (place - (len(sizes) - 1) / 2) for one in x]
            label = f"{size} x {size}"
            axes.errorbar(shifted, means, spreads, color=ink, marker=marker, capsize=3, label=label)
            theirs = sorted(count for one, count in original if one == size)
            means = tuple(original[size, one][0] for one in theirs)
            axes.plot(theirs, means, color=ink, linestyle=":", linewidth=1.2, alpha=0.8)
        axes.plot([], [], color=LINE, marker="", linestyle=":", label="original report")
        axes.set_xscale("log", base=2)
        ticks = sorted({count for _, count in [*found, *original]})
        axes.set_xticks(ticks, [str(one) for one in ticks])
        axes.set(xlabel="filters", ylabel=objective, title="CNN: kernels and filters")
        axes.legend(loc="lower right")
        best = max(found, key=lambda key: found[key][0])
        return canvas.figure(
            name,
            f"Score of the CNN against the number of filters, one line a kernel size; {best[1]}"
            f" filters of {best[0]} x {best[0]} are best with {found[best][0]:.4f}.",
            f"{WHISKERS} They are shifted a little so as not to hide each other.",
        )
