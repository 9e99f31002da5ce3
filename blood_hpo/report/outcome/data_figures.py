"""Drawings of the data set: a sample of each class, counts, and the weights that balance them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import MUTED, WIDE, WIDTH, Canvas, colour


def samples(images: NDArray[np.uint8], names: Sequence[str]) -> Figure:
    """The first training image of each class.

    Args:
        images: uint8 (classes, 28, 28, 3).
        names: The classes.
    """
    with Canvas(WIDE, 1.75) as canvas:
        grid = canvas.plot.subplots(1, len(names))
        for axes, image, (label, name) in zip(grid, images, enumerate(names), strict=True):
            axes.imshow(image, interpolation="none")
            axes.set_axis_off()
            short = name.replace("immature granulocytes", "imm. granulocytes")
            axes.set_title(f"{label}\n{short}", fontsize=8.5, fontweight="normal", loc="center")
        listed = ", ".join(names)
        return canvas.figure(
            "samples",
            f"One image of each class: {listed}.",
            "The first training image of each class, 28 x 28 pixels, as the models see it.",
            wide=True,
        )


def counts(by_split: NDArray[np.integer], names: Sequence[str]) -> Figure:
    """Images of each class in each split.

    Args:
        by_split: Counts (3, classes): training, validation and test split.
        names: The classes.
    """
    looks = [("training", colour("mlp")), ("validation", colour("cnn")), ("test", MUTED)]
    places = np.arange(len(names))
    with Canvas(WIDTH, 4.0) as canvas:
        axes = canvas.plot.subplots()
        for offset, ((label, ink), values) in enumerate(zip(looks, by_split, strict=True)):
            axes.barh(places + (offset - 1) * 0.27, values, 0.25, color=ink, label=label)
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        axes.set(xlabel="images", title="Images of each class")
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower right")
        return canvas.figure(
            "class-counts",
            f"Bars of the images of each class; the training split has {by_split[0].min()} of the"
            f" rarest and {by_split[0].max()} of the most frequent.",
            "The classes are unequal, in the same way in all three splits.",
        )
