"""Drawings of grid studies: the effect of one or two hyperparameters, all others held."""

from collections.abc import Mapping

import numpy as np

from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import INK, LINE, MUTED, OTHER, WIDTH, Canvas, colour, legend_above

Effect = tuple[float, float]
"""Mean over the folds and their sample standard deviation."""


def units(found: Mapping[int, Effect], original: Mapping[int, Effect], objective: str) -> Figure:
    """Score of the MLP against its number of hidden units, with the original report's."""
    with Canvas() as canvas:
        axes = canvas.plot.subplots()
        for values, ink, marker, label in (
            (original, MUTED, "d", "original report"),
            (found, colour("mlp"), "o", "this study"),
        ):
            x = sorted(values)
            means, spreads = zip(*(values[one] for one in x), strict=True)
            axes.errorbar(x, means, spreads, color=ink, marker=marker, capsize=4, label=label)
        axes.set_xscale("log", base=2)
        ticks = sorted(set(found) | set(original))
        axes.set_xticks(ticks, [str(one) for one in ticks])
        axes.set(xlabel="hidden units", ylabel=objective, title="MLP: width")
        legend_above(axes)
        best = max(found, key=lambda one: found[one][0])
        return canvas.figure(
            "units",
            f"Score of the MLP against its number of hidden units; {best} units are best"
            f" with {found[best][0]:.4f}.",
            "Mean over the folds; whiskers are one standard deviation of the folds. The original"
            " report's values stand beside: its whiskers divide by the number of folds, ours by"
            " one less, and other settings differ.",
        )


def kernels(found: Mapping[tuple[int, int], Effect], objective: str) -> Figure:
    """Score of the CNN as a map over kernel size and number of filters."""
    sizes, filters = (sorted({key[axis] for key in found}) for axis in (0, 1))
    means = [value[0] for value in found.values()]
    low, span = min(means), (max(means) - min(means)) or 1.0
    best = max(found, key=lambda key: found[key][0])
    with Canvas(WIDTH, 1.3 + 0.62 * len(sizes)) as canvas:
        axes = canvas.plot.subplots()
        for (size, count), (mean, spread) in found.items():
            x, y = filters.index(count), sizes.index(size)
            shade = 0.08 + 0.62 * (mean - low) / span
            axes.fill_between(
                [x - 0.5, x + 0.5], y - 0.5, y + 0.5, color=colour("cnn"), alpha=shade
            )
            weight = "bold" if (size, count) == best else "normal"
            axes.text(x, y - 0.08, f"{mean:.4f}", ha="center", fontsize=10, fontweight=weight)
            axes.text(x, y + 0.28, f"± {spread:.4f}", ha="center", fontsize=8, color=INK)
        axes.set_xticks(range(len(filters)), [str(one) for one in filters])
        axes.set_yticks(range(len(sizes)), [f"{one} x {one}" for one in sizes])
        axes.set(xlabel="filters", ylabel="kernel", title=f"CNN: {objective} by kernel and filters")
        axes.set_ylim(len(sizes) - 0.5, -0.5)
        axes.grid(visible=False)
        return canvas.figure(
            "kernels",
            f"Map of the CNN's score over kernel size and filters; {best[1]} filters of {best[0]} x"
            f" {best[0]} are best with {found[best][0]:.4f}.",
            "Mean over the folds and one standard deviation of the folds; darker is better, bold"
            " is best.",
        )


def kernel_lines(
    found: Mapping[tuple[int, int], Effect],
    original: Mapping[tuple[int, int], Effect],
    objective: str,
) -> Figure:
    """The same as lines over the number of filters, one a kernel size, as the original has it."""
    looks = [(colour("cnn"), "s"), (colour("mlp"), "o"), (OTHER, "D"), (colour("resnet"), "^")]
    sizes = sorted({size for size, _ in found})
    with Canvas() as canvas:
        axes = canvas.plot.subplots()
        for size, (ink, marker) in zip(sizes, looks, strict=False):
            x = np.array(sorted(count for one, count in found if one == size))
            means, spreads = zip(*(found[size, int(one)] for one in x), strict=True)
            shifted = x * 1.035 ** (sizes.index(size) - (len(sizes) - 1) / 2)
            label = f"{size} x {size}"
            axes.errorbar(shifted, means, spreads, color=ink, marker=marker, capsize=3, label=label)
            theirs = sorted(count for one, count in original if one == size)
            if theirs:
                means = tuple(original[size, one][0] for one in theirs)
                axes.plot(theirs, means, color=ink, linestyle=":", linewidth=1.2, alpha=0.8)
        axes.plot([], [], color=LINE, marker="", linestyle=":", label="original report")
        axes.set_xscale("log", base=2)
        ticks = sorted({count for _, count in found} | {count for _, count in original})
        axes.set_xticks(ticks, [str(one) for one in ticks])
        axes.set(xlabel="filters", ylabel=objective, title="CNN: effect of kernels and filters")
        axes.legend(loc="lower right")
        return canvas.figure(
            "kernel-lines",
            "Score of the CNN against the number of filters, one line a kernel size.",
            "Whiskers are one standard deviation of the folds, shifted a little so as not to hide"
            " each other. Dotted: the original report's means.",
        )
