"""Drawings of training: accuracy and loss by epoch, with the epoch that was kept."""

from collections.abc import Sequence

import numpy as np

from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import (
    ACCENT,
    MUTED,
    WIDE,
    Canvas,
    colour,
    legend_above,
    whole_numbers,
)
from blood_hpo.report.read.search_study import Curve, family_name


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
            f"{name}: accuracy and loss by epoch. Early stopping, which sees the"
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
