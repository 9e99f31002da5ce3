"""Drawings of training: accuracy and loss by epoch, with the epoch that was kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import MUTED, WIDTH, Canvas, colour, legend_above, whole_numbers
from blood_hpo.report.read.search_study import Curve, family_name

DASHES = (0, (4, 2))


@dataclass(frozen=True)
class Line:
    """One number an epoch.

    Attributes:
        label: What the legend calls it; empty leaves it out.
        values: The numbers, from epoch 1; none are not drawn.
        ink: Its colour.
        dashed: Whether it is.
        chosen: The epoch that early stopping restored, from 1, marked by a dot.
    """

    label: str
    values: Sequence[float]
    ink: str
    dashed: bool = False
    chosen: int | None = None


def training(family: str, curve: Curve, best_epoch: int) -> Figure:
    """Accuracy and loss after each epoch of one run, with the epoch that was restored.

    Args:
        family: Its family.
        curve: Validation accuracy and training loss; training accuracy and validation loss where
            they were recorded.
        best_epoch: The restored epoch, from 1.
    """
    name, epochs = family_name(family), len(curve.validation)
    both = {
        "accuracy": (curve.train_accuracy, curve.validation),
        "loss": (curve.train_loss, curve.validation_loss),
    }
    panels = {
        label: [
            Line("training", train, MUTED, dashed=True),
            Line("validation", validation, colour(family), chosen=best_epoch),
        ]
        for label, (train, validation) in both.items()
    }
    return lines(
        f"training-{family}",
        name,
        panels,
        f"{name}: dots mark epoch {best_epoch} of {epochs}, whose weights were restored.",
    )


def lines(name: str, title: str, panels: dict[str, list[Line]], caption: str = "") -> Figure:
    """Lines over epochs, a panel for each thing that is measured."""
    with Canvas(WIDTH, 2.5) as canvas:
        grid = canvas.plot.subplots(1, len(panels), squeeze=False)[0]
        for axes, (label, drawn) in zip(grid, panels.items(), strict=True):
            for one in drawn:
                x, style = range(1, len(one.values) + 1), DASHES if one.dashed else "-"
                axes.plot(x, one.values, color=one.ink, linestyle=style, label=one.label or "_")
                if one.values and one.chosen:
                    axes.plot(one.chosen, one.values[one.chosen - 1], "o", color=one.ink)
            axes.set(xlabel="epoch", ylabel=label)
            whole_numbers(axes)
        grid[0].set_title(title)
        legend_above(grid[-1])  # at the first it would hide the title
        alt = f"{title}: {' and '.join(panels)} by epoch."
        return canvas.figure(name, alt, caption)
