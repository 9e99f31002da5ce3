"""Drawings of trained models: training, mistakes, calibration, and the comparison with others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from blood_hpo.report.document import Figure
from blood_hpo.report.figures.theme import (
    ACCENT,
    INK,
    MARKERS,
    MUTED,
    WIDE,
    WIDTH,
    Canvas,
    colour,
    legend_above,
    whole_numbers,
)
from blood_hpo.report.metrics import CalibrationBin
from blood_hpo.report.record import Curve, family_name
from blood_hpo.report.uncertainty import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MISTAKE_HEIGHT = 1.7
"""Inches of a row of two misclassified images."""

SHORT = {"immature granulocytes": "imm. granul."}


@dataclass(frozen=True)
class Mistake:
    """A misclassified test image.

    Attributes:
        index: Place in the test split, from 0.
        image: uint8 (28, 28, 3).
        true: Its class.
        probabilities: What the model gave to each class.
        rank: Place of the true class among them.
    """

    index: int
    image: NDArray[np.uint8]
    true: int
    probabilities: NDArray[np.floating]
    rank: int


def training(family: str, curve: Curve, best_epoch: int) -> Figure:
    """Accuracy and loss after each epoch of one run, with the epoch that was restored.

    Args:
        family: Its family.
        curve: Validation accuracy and training loss; training accuracy and validation loss where
            they were recorded.
        best_epoch: The restored epoch, from 1.
    """
    name = family_name(family)
    x = np.arange(1, len(curve.validation) + 1)
    panels = [
        ("accuracy", curve.train_accuracy, curve.validation),
        ("loss", curve.train_loss, curve.validation_loss),
    ]
    with Canvas(WIDE, 3.2) as canvas:
        grid = canvas.plot.subplots(1, 2)
        for axes, (label, train, validation) in zip(grid, panels, strict=True):
            if train:
                axes.plot(x, train, color=MUTED, linestyle=(0, (4, 2)), label="training")
            if validation:
                axes.plot(x, validation, color=colour(family), label="validation")
                chosen = validation[best_epoch - 1]
                axes.plot(best_epoch, chosen, "o", color=ACCENT, markersize=8, label="restored")
            axes.axvline(best_epoch, color=ACCENT, linewidth=1, linestyle=":")
            axes.set(xlabel="epoch", ylabel=label)
            whole_numbers(axes)
            legend_above(axes)
        grid[0].set_title(name)
        return canvas.figure(
            f"training-{family}",
            f"Accuracy and loss of the {name} by epoch; epoch {best_epoch} of {len(x)} was kept.",
            f"{name}, first seed: accuracy and loss by epoch. Early stopping, which sees the"
            f" validation split alone, restored the weights of epoch {best_epoch} of {len(x)}."
            " Training figures are means over the epoch, on augmented images where the recipe"
            " augments.",
            wide=True,
        )


def folds(family: str, number: int, curves: Sequence[Curve], best: Sequence[int]) -> Figure:
    """Validation score of each fold of a trial of the search, with the restored epochs.

    Args:
        family: The trial's family.
        number: The trial's number.
        curves: One curve a fold.
        best: The restored epoch of each fold, from 1.
    """
    name = family_name(family)
    with Canvas() as canvas:
        axes = canvas.plot.subplots()
        for curve, chosen in zip(curves, best, strict=True):
            x = np.arange(1, len(curve.validation) + 1)
            axes.plot(x, curve.validation, color=colour(family), alpha=0.75)
            axes.plot(chosen, curve.validation[chosen - 1], "o", color=ACCENT, markersize=6)
        axes.set(xlabel="epoch", ylabel="score on the validation split")
        axes.set_title(f"{name}: folds of trial {number}")
        whole_numbers(axes)
        return canvas.figure(
            f"folds-{family}",
            f"Validation scores of the {len(curves)} folds of trial {number} of the {name}.",
            f"{name}: the best trial of the search, one line a fold; dots are the epochs that early"
            " stopping restored.",
        )


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
            f"{name}, first seed: test images by true class (rows) and predicted class (columns)."
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
            f"{name}, first seed: where the true class is not the most probable, how often it is"
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
            f"{name}, first seed: the first misclassified test image of each class, then further"
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


def comparison(ours: Mapping[str, Interval], others: Sequence[tuple[str, float, str]]) -> Figure:
    """Test accuracies on one axis.

    Args:
        ours: Accuracy with its interval by family.
        others: Name, accuracy, and the family it compares with (empty for none).
    """
    rows: list[tuple[str, float, str, Interval | None]]
    rows = [(family_name(key), value.value, key, value) for key, value in ours.items()]
    rows += [(name, value, family, None) for name, value, family in others]
    rows.sort(key=lambda row: (row[1], row[0]))
    with Canvas(WIDE, 1.0 + 0.31 * len(rows)) as canvas:
        axes = canvas.plot.subplots()
        for place, (_, value, family, interval) in enumerate(rows):
            ink = colour(family) if family else MUTED
            if interval:
                span = [[value - interval.low], [interval.high - value]]
                axes.errorbar(value, place, xerr=span, color=ink, capsize=4, elinewidth=2)
            marker = MARKERS.get(family, "D")
            fill = ink if interval else "none"
            axes.plot(value, place, marker, markeredgecolor=ink, markerfacecolor=fill, markersize=8)
            axes.annotate(
                f"{value:.4f}" if interval or family else f"{value:.3f}",
                (interval.high if interval else value, place),
                (9, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
                fontweight="bold" if interval else "normal",
            )
        axes.set_yticks(range(len(rows)), [row[0] for row in rows])
        for label, row in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_fontweight("bold" if row[3] else "normal")
            label.set_color(INK if row[3] else MUTED)
        axes.set(xlabel="test accuracy", title="Beside what others have published")
        axes.margins(x=0.12)
        return canvas.figure(
            "comparison",
            "Test accuracies of this study's models, of the original report and of MedMNIST v2.",
            "Filled and bold: this study, mean over its seeds with the 95 % interval. Hollow, in"
            " the same colours: the original report. Grey: MedMNIST v2.",
            wide=True,
        )


def confirmation(
    family: str, candidates: Sequence[tuple[str, Interval, float, bool]], objective: str
) -> Figure:
    """Confirmed means with their intervals, the winner on top.

    Args:
        family: The family.
        candidates: Label, confirmed mean with interval, score in the search, and whether the
            winner is told apart from it.
        objective: Name of the score.
    """
    name = family_name(family)
    with Canvas(WIDTH, 1.2 + 0.42 * len(candidates)) as canvas:
        axes = canvas.plot.subplots()
        for place, (_, found, searched, apart) in enumerate(candidates):
            ink = MUTED if apart else colour(family)
            span = [[found.value - found.low], [found.high - found.value]]
            axes.errorbar(found.value, place, xerr=span, color=ink, capsize=4, elinewidth=2)
            fill = "none" if apart else ink
            axes.plot(found.value, place, "o", color=ink, markerfacecolor=fill, markersize=8)
            axes.plot(searched, place, "|", color=ACCENT, markersize=14, markeredgewidth=2)
        axes.plot([], [], "|", color=ACCENT, markersize=10, label="score in the search")
        axes.set_yticks(range(len(candidates)), [row[0] for row in candidates])
        axes.set(xlabel=objective, title=f"{name}: confirmed on fresh folds")
        axes.set_ylim(len(candidates) - 0.4, -0.6)
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.18))
        axes.grid(visible=False, axis="y")
        return canvas.figure(
            f"confirmation-{family}",
            f"Confirmed means of the {name}'s best {len(candidates)} configurations with 95 %"
            f" intervals; {candidates[0][0]} wins.",
            f"{name}: mean on fresh folds with its 95 % interval, the winner on top. Filled: cannot"
            " be told from the winner. Red strokes: what the search had measured; on average they"
            " flatter, because the search kept the luckiest.",
        )
