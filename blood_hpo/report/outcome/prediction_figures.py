"""Drawings of what models predict: confusion, ranks of the true class, mistakes, calibration."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import ACCENT, INK, MARKERS, MUTED, WIDE, WIDTH, Canvas, colour
from blood_hpo.report.read.final_stage import Mistake
from blood_hpo.report.read.scores import CalibrationBin
from blood_hpo.report.read.search_study import family_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MISTAKE_HEIGHT = 1.7
"""Inches of a row of two misclassified images."""

SHORT = {"immature granulocytes": "imm. granul."}


def confusion(family: str, matrix: NDArray[np.integer], names: Sequence[str]) -> Figure:
    """Counts of true and predicted classes.

    Args:
        family: The model's family.
        matrix: Counts (classes, classes); a row is a true class.
        names: The classes.
    """
    name, size = family_name(family), len(names)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    with Canvas(WIDTH, 5.4) as canvas:
        axes = canvas.plot.subplots()
        for true, predicted in np.ndindex(size, size):
            ink = colour(family) if true == predicted else ACCENT
            shade = 0.75 * float(shares[true, predicted]) ** 0.5
            x, y = predicted - 0.48, true - 0.48
            if matrix[true, predicted]:
                axes.fill_between([x, x + 0.96], y, y + 0.96, color=ink, alpha=shade, linewidth=0)
            axes.text(
                predicted,
                true + 0.1,
                str(matrix[true, predicted]),
                ha="center",
                fontsize=9.5,
                color=INK if matrix[true, predicted] else MUTED,
            )
        short = [SHORT.get(one, one) for one in names]
        axes.set_xticks(range(size), short, rotation=35, ha="right")
        axes.set_yticks(range(size), short)
        axes.set(xlabel="predicted class", ylabel="true class", title=f"{name}: confusion matrix")
        axes.set_xlim(-0.5, size - 0.5)
        axes.set_ylim(size - 0.5, -0.5)
        axes.grid(visible=False)
        axes.tick_params(length=0)
        right = int(np.trace(matrix))
        return canvas.figure(
            f"confusion-{family}",
            f"Confusion matrix of the {name}: {right} of {matrix.sum()} test images are on its"
            " diagonal. The table of each class has its numbers.",
            f"{name}: test images by true class (rows) and predicted class (columns)."
            " The shade is the share of the row, so rare classes show as well as frequent ones.",
        )


def ranks(family: str, counts: Sequence[int]) -> Figure:
    """How far down the true class stands where it is not first.

    Args:
        family: The model's family.
        counts: Images with the true class at rank 1, 2, and so on.
    """
    name, total = family_name(family), sum(counts)
    shares = [100 * count / total for count in counts[1:]]
    with Canvas(WIDTH, 3.2) as canvas:
        axes = canvas.plot.subplots()
        places = range(2, len(counts) + 1)
        axes.bar(places, shares, color=colour(family), width=0.7)
        for place, share, count in zip(places, shares, counts[1:], strict=True):
            axes.annotate(
                str(count),
                (place, share),
                (0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=9,
            )
        axes.set(xlabel="rank of the true class", ylabel="% of all test images")
        axes.set_title(f"{name}: rank of the true class in its {sum(counts[1:])} errors")
        axes.set_xticks(places)
        axes.grid(visible=False, axis="x")
        axes.margins(y=0.12)
        return canvas.figure(
            f"ranks-{family}",
            f"Of {total} test images the {name} ranks the true class second in {counts[1]}.",
            f"{name}: where the true class is not the most probable, how often it is"
            f" the second, the third, and so on. Rank 1, {counts[0]:,} images, is left out.",
        )


def calibration(bins: Mapping[str, Sequence[CalibrationBin]]) -> Figure:
    """Accuracy against confidence of each model, by family."""
    with Canvas(WIDTH, 4.6) as canvas:
        axes = canvas.plot.subplots()
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        for family, found in bins.items():
            filled = [one for one in found if one.count]
            axes.plot(
                [one.confidence for one in filled],
                [one.accuracy for one in filled],
                color=colour(family),
                marker=MARKERS.get(family, "D"),
                markersize=5,
                label=family_name(family),
            )
        axes.set(xlabel="confidence", ylabel="accuracy", title="Calibration")
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        axes.legend(loc="upper left")
        return canvas.figure(
            "calibration",
            "Accuracy against confidence of each model; on the diagonal both are equal.",
            "Test images grouped by the model's highest probability, in bins of equal width: below"
            " the dashed diagonal a model is surer than it should be.",
        )


def mistakes(family: str, examples: Sequence[Mistake], names: Sequence[str]) -> Figure:
    """Misclassified images with the probabilities that the model gave."""
    name, rows = family_name(family), -(-len(examples) // 2)
    height = MISTAKE_HEIGHT * rows
    # Placed by hand: laying out that many axes automatically takes seconds.
    with Canvas(WIDE, height, arranged=False) as canvas:
        for place, one in enumerate(examples):
            x, y = place % 2 * WIDE / 2, height - MISTAKE_HEIGHT * (place // 2 + 1) + 0.1
            left = canvas.plot.add_axes((x / WIDE, y / height, 1.25 / WIDE, 1.25 / height))
            left.imshow(one.image, interpolation="none")
            left.set_title(f"test image {one.index}", fontsize=9, fontweight="normal", loc="center")
            left.set_axis_off()
            x += 2.25
            right = canvas.plot.add_axes((x / WIDE, y / height, 2.4 / WIDE, 1.25 / height))
            _probabilities(right, one, names)
        shown = "; ".join(
            f"image {one.index} is {names[one.true]}, taken for"
            f" {names[int(one.probabilities.argmax())]}"
            for one in examples
        )
        return canvas.figure(
            f"mistakes-{family}",
            f"Images that the {name} misclassifies: {shown}.",
            f"{name}: the first misclassified test image of each class, then further"
            " ones in the order of the test split, with all eight probabilities. Blue: the true"
            " class; red: the predicted one.",
            wide=True,
        )


def _probabilities(axes: "Axes", one: Mistake, names: Sequence[str]) -> None:
    predicted = int(one.probabilities.argmax())
    inks = [MUTED] * len(names)
    inks[one.true], inks[predicted] = colour("mlp"), ACCENT
    labels = [SHORT.get(name, name) for name in names]
    axes.barh(range(len(names)), one.probabilities, color=inks, height=0.72)
    for place, value in enumerate(one.probabilities):
        axes.text(float(value) + 0.015, place, f"{value:.3f}", va="center", fontsize=7.5)
    axes.set_yticks(range(len(names)), labels, fontsize=8)
    axes.set_xticks([])
    axes.set_xlim(0, 1.15)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    title = f"true: {names[one.true]}, rank {one.rank}"
    axes.set_title(title, fontsize=9, fontweight="normal")
