"""Drawings of what models predict: confusion, ranks of the true class, mistakes, calibration."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from blood_hpo.data.facts import CLASSES
from blood_hpo.report.page import theme
from blood_hpo.report.page.document import Figure
from blood_hpo.report.read.predictions import Mistake
from blood_hpo.report.read.scores import CalibrationBin
from blood_hpo.report.read.search_study import family_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MISTAKE_HEIGHT = 1.8
"""Inches of a row of two misclassified images."""

LARGEST = 500
"""Area of a mark that stands for all images, in square points."""

SHORT = [name.replace("immature granulocytes", "imm. granul.") for name in CLASSES]


def confusion(name: str, title: str, matrix: Sequence[Sequence[int]], ink: str) -> Figure:
    """Counts (8, 8) of true classes (rows) and predicted ones; the ink is that of the diagonal."""
    counts, places = np.array(matrix), range(len(SHORT))
    right, whole = int(counts.trace()), int(counts.sum())
    with theme.drawing(theme.WIDTH, 5.2) as plot:
        axes = plot.subplots()
        _squares(axes, counts, ink)
        axes.set_xticks(places, SHORT, rotation=35, ha="right")
        axes.set_yticks(places, SHORT)
        said = f"{title}: {right:,} of {whole:,} right ({right / max(whole, 1):.2%})"
        axes.set(xlabel="predicted class", ylabel="true class", title=said)
        axes.set(xlim=(-0.5, len(SHORT) - 0.5), ylim=(len(SHORT) - 0.5, -0.5))
        axes.grid(visible=False)
        axes.tick_params(length=0)
        return theme.figure(plot, "confusion", name, title=title, right=right, whole=whole)


def _squares(axes: "Axes", counts: np.ndarray, ink: str) -> None:
    """A number in each square, and the square shaded by its share of the row."""
    from matplotlib.patches import Rectangle

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for (true, predicted), count in np.ndenumerate(counts):
        if count:
            shade = 0.75 * float(shares[true, predicted]) ** 0.5
            look = {"color": ink if true == predicted else theme.ACCENT, "alpha": shade}
            axes.add_patch(
                Rectangle((predicted - 0.48, true - 0.48), 0.96, 0.96, linewidth=0, **look)
            )
        paint = theme.INK if count else theme.MUTED
        axes.text(predicted, true + 0.1, f"{count}", ha="center", fontsize=9.5, color=paint)


def ranks(family: str, counts: Sequence[int]) -> Figure:
    """How far down the true class stands where it is not first, from the images of each rank."""
    name, total, (right, *wrong) = family_name(family), sum(counts), counts
    with theme.drawing(theme.WIDTH, 3.2) as plot:
        axes = plot.subplots()
        places, shares = range(2, len(counts) + 1), [100 * count / total for count in wrong]
        bars = axes.bar(places, shares, color=theme.colour(family), width=0.7)
        axes.bar_label(bars, [str(count) for count in wrong], padding=3)
        axes.set(xlabel="rank of the true class", ylabel="% of all test images", xticks=places)
        axes.set_title(f"{name}: rank of the true class in its {sum(wrong)} errors")
        axes.grid(visible=False, axis="x")
        axes.margins(y=0.12)
        facts = {"family": name, "total": total, "second": wrong[0], "right": right}
        return theme.figure(plot, "ranks", f"ranks-{family}", **facts)


def calibration(bins: Mapping[str, Sequence[CalibrationBin]]) -> Figure:
    """Accuracy against confidence of each model, by family, the marks as large as they count."""
    with theme.drawing(theme.WIDTH, 4.2) as plot:
        axes = plot.subplots()
        axes.plot([0, 1], [0, 1], color=theme.MUTED, linewidth=1, linestyle=(0, (4, 3)))
        for family, found in bins.items():
            filled, whole = [one for one in found if one.count], sum(one.count for one in found)
            x, y = [one.confidence for one in filled], [one.accuracy for one in filled]
            areas = [LARGEST * one.count / whole for one in filled]
            ink, marker = theme.colour(family), theme.MARKERS.get(family, "D")
            axes.plot(x, y, color=ink, linewidth=0.8, alpha=0.6)
            axes.scatter(x, y, areas, color=ink, marker=marker, alpha=0.75, linewidths=0)
            axes.plot([], [], marker, color=ink, label=family_name(family))
        axes.set(xlabel="confidence", ylabel="accuracy", title="Calibration")
        axes.set(xlim=(0, 1.04), ylim=(0, 1.04))
        axes.legend(loc="upper left")
        return theme.figure(plot, "calibration")


def mistakes(family: str, examples: Sequence[Mistake]) -> Figure:
    """Misclassified images with the probabilities that the model gave."""
    width, height = theme.WIDE, MISTAKE_HEIGHT * -(-len(examples) // 2)
    # In one pair of axes, in inches: a pair for each part takes seconds.
    with theme.drawing(width, height, arranged=False) as plot:
        axes = plot.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height), autoscale_on=False)
        axes.set_axis_off()
        for place, one in enumerate(examples):
            _mistake(axes, one, place % 2 * width / 2, height - MISTAKE_HEIGHT * (place // 2 + 1))
        shown = "; ".join(
            f"image {one.index} is {CLASSES[one.true]}, taken for {CLASSES[one.predicted]}"
            for one in examples
        )
        facts = {"family": family_name(family), "shown": shown}
        return theme.figure(plot, "mistakes", f"mistakes-{family}", **facts)


def _mistake(axes: "Axes", one: Mistake, x: float, y: float) -> None:
    """An image and its probabilities, with the left lower corner there."""
    axes.imshow(
        one.image, interpolation="none", extent=(x, x + 1.25, y + 0.1, y + 1.35), aspect="auto"
    )
    left, top = x + 2.4, y + 1.5
    axes.text(x + 0.625, top, f"test image {one.index}", ha="center")
    axes.text(left + 1.1, top, f"true: {CLASSES[one.true]}, rank {one.rank}", ha="center")
    look: dict[str, object] = {"va": "center", "fontsize": 9.6}
    rows = top - 0.15 - 0.165 * np.arange(len(SHORT))
    inks = [theme.MUTED] * len(SHORT)
    inks[one.true], inks[one.predicted] = theme.colour("mlp"), theme.ACCENT
    axes.barh(rows, 1.85 * one.probabilities, 0.12, left=left, color=inks)
    for row, name, share in zip(rows, SHORT, one.probabilities, strict=True):
        axes.text(left - 0.06, row, name, look, ha="right", color=theme.MUTED)
        axes.text(left + 1.85 * share + 0.04, row, f"{share:.3f}", look)
