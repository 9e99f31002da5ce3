"""The data set: a sample of each class, and how unequal they are."""

import numpy as np
from numpy.typing import NDArray

from blood_hpo.data.facts import CLASSES, OFFICIAL_COUNTS, RECONSTRUCTED_SHA256
from blood_hpo.report.page.cells import count, number, plain
from blood_hpo.report.page.document import Block, Figure, Row, Section, Table
from blood_hpo.report.page.theme import MUTED, WIDE, WIDTH, colour, drawing, figure
from blood_hpo.report.page.words import said, table
from blood_hpo.report.read.findings import Findings

SPLITS = ("training", "validation", "test")


def section(found: Findings) -> Section:
    """The section."""
    spec = found.study.spec
    share, folds = 100 * spec["data"]["fraction"], spec["training"]["folds"]
    blocks = [said("images"), *_pictures(found), said("used", share=share, folds=folds)]
    return Section("data", blocks, {"data": dict(found.study.data)})


def _pictures(found: Findings) -> list[Block]:
    counts, data = found.final.counts if found.final else None, found.study.data
    if counts is None and (data["official"] or data["sha256"] == RECONSTRUCTED_SHA256):
        counts = np.array(list(OFFICIAL_COUNTS.values()))
    images = found.final.sample_images if found.final else None
    blocks: list[Block] = [] if images is None else [_samples(images)]
    if counts is not None:
        blocks.append(Row((_drawn(counts), _table(counts)), "Images and weights of the classes"))
    return blocks


def _table(counts: NDArray[np.integer]) -> Table:
    train = counts[0]
    weights = train.sum() / (len(train) * train)
    classes = zip(range(len(CLASSES)), CLASSES, counts.T, weights.tolist(), strict=True)
    every = (None, "all classes", counts.sum(axis=1), 1.0)
    rows = [
        {
            "label": plain(label, "all" if label is None else str(label)),
            "class": plain(name),
            **{split: count(int(own)) for split, own in zip(SPLITS, of_class, strict=True)},
            "balanced weight": number(weight, 3),
        }
        for label, name, of_class, weight in (*classes, every)
    ]
    return table("classes", rows)


def _samples(images: NDArray[np.uint8]) -> Figure:
    """The first training image of each class, uint8 (classes, 28, 28, 3)."""
    with drawing(WIDE, 1.75) as plot:
        grid = plot.subplots(1, len(CLASSES))
        for axes, image, (label, name) in zip(grid, images, enumerate(CLASSES), strict=True):
            axes.imshow(image, interpolation="none")
            axes.set_axis_off()
            title = f"{label} {name}".replace(" granulocytes", "\ngranulocytes")
            axes.set_title(title, fontsize=10, fontweight="normal", loc="center")
        return figure(plot, "samples", classes=", ".join(CLASSES))


def _drawn(counts: NDArray[np.integer]) -> Figure:
    """Images of each class in each split, from counts (splits, classes)."""
    places = np.arange(len(CLASSES))
    with drawing(WIDTH, 4.0) as plot:
        axes = plot.subplots()
        inks = (colour("mlp"), colour("cnn"), MUTED)
        for offset, (split, ink) in enumerate(zip(SPLITS, inks, strict=True), start=-1):
            axes.barh(places + offset * 0.27, counts[offset + 1], 0.25, color=ink, label=split)
        axes.set_yticks(places, CLASSES)
        axes.invert_yaxis()
        axes.set(xlabel="images", title="Images of each class")
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower right")
        return figure(plot, "class-counts", fewest=counts[0].min(), most=counts[0].max())
