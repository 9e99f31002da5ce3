"""Drawings of what models predict: confusion, ranks of the true class, mistakes, calibration."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from blood_hpo.data.facts import CLASSES
from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import ACCENT, INK, MARKERS, MUTED, WIDE, WIDTH, Canvas, colour
from blood_hpo.report.read.final_stage import Mistake
from blood_hpo.report.read.scores import CalibrationBin
from blood_hpo.report.read.search_study import family_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MISTAKE_HEIGHT = 1.7
"""Inches of a row of two misclassified images."""

LARGEST = 500
"""Area of a mark that stands for all images, in square points."""

SHORT = {"immature granulocytes": "imm. granul."}


def confusion(name: str, title: str, matrix: Sequence[Sequence[int]], ink: str) -> Figure:
    """Counts of true classes (rows) and predicted ones, in the order of the labels.

    Args:
        name: Of the file.
        title: Whose predictions they are.
        matrix: Counts (8, 8).
        ink: Colour of the diagonal.
    """
    counts = np.array(matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right, whole = int(counts.trace()), int(counts.sum())
    with Canvas(WIDTH, 5.2) as canvas:
        axes = canvas.plot.subplots()
        for (true, predicted), count in np.ndenumerate(counts):
            shade = 0.75 * float(shares[true, predicted]) ** 0.5
            x, y = predicted - 0.48, true - 0.48
            if count:
                look = {"color": ink if true == predicted else ACCENT, "alpha": shade}
                axes.fill_between([x, x + 0.96], y, y + 0.96, linewidth=0, **look)
            paint = INK if count else MUTED
            axes.text(predicted, true + 0.1, f"{count}", ha="center", fontsize=9.5, color=paint)
        short = [SHORT.get(one, one) for one in CLASSES]
        axes.set_xticks(range(len(short)), short, rotation=35, ha="right")
        axes.set_yticks(range(len(short)), short)
        axes.set(xlabel="predicted class", ylabel="true class")
        axes.set_title(f"{title}: {right:,} of {whole:,} right ({right / max(whole, 1):.2%})")
        axes.set_xlim(-0.5, len(short) - 0.5)
        axes.set_ylim(len(short) - 0.5, -0.5)
        axes.grid(visible=False)
        axes.tick_params(length=0)
        return canvas.figure(
            name,
            f"Confusion matrix, {title}: {right} of {whole} images are on its diagonal.",
            f"{title}: images by true class (rows) and predicted class (columns). The shade is the"
            " share of the row, so rare classes show as well as frequent ones.",
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
    """Accuracy against confidence of each model, by family, the marks as large as they count."""
    with Canvas(WIDTH, 4.2) as canvas:
        axes = canvas.plot.subplots()
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        for family, found in bins.items():
            filled, whole = [one for one in found if one.count], sum(one.count for one in found)
            x, y = [one.confidence for one in filled], [one.accuracy for one in filled]
            axes.plot(x, y, color=colour(family), linewidth=0.8, alpha=0.6)
            axes.scatter(
                x,
                y,
                [LARGEST * one.count / whole for one in filled],
                color=colour(family),
                marker=MARKERS.get(family, "D"),
                alpha=0.75,
                linewidths=0,
            )
            axes.plot(
                [], [], MARKERS.get(family, "D"), color=colour(family), label=family_name(family)
            )
        axes.set(xlabel="confidence", ylabel="accuracy", title="Calibration")
        axes.set_xlim(0, 1.04)
        axes.set_ylim(0, 1.04)
        axes.legend(loc="upper left")
        return canvas.figure(
            "calibration",
            "Accuracy against confidence of each model; on the diagonal both are equal.",
            "Test images grouped by the model's highest probability, in bins of equal width; a"
            " mark's area is the share of the images in it. Below the dashed diagonal a model is"
            " surer than it should be.",
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
