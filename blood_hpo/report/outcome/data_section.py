"""The data set: a sample of each class, and how unequal they are."""

import numpy as np

from blood_hpo.data.facts import CLASSES, OFFICIAL_COUNTS
from blood_hpo.report.outcome import data_figures as draw
from blood_hpo.report.page.cells import number, plain
from blood_hpo.report.page.document import Block, Row, Section, Table, Text, one_group
from blood_hpo.report.read.findings import Findings


def section(found: Findings) -> Section:
    """The section."""
    data = found.study.data
    blocks: list[Block] = [
        Text(
            "Microscope images of single peripheral blood cells in eight classes, RGB, 28 x 28"
            " pixels."
        ),
        *_pictures(found),
    ]
    fraction = found.study.spec["data"]["fraction"]
    folds = found.study.spec["training"]["folds"]
    blocks.append(
        Text(
            f"The search used {100 * fraction:.3g} % of the training and of the validation split,"
            f" drawn once with the classes in proportion, in {folds} stratified folds. The test"
            " split was out of its reach: only the final evaluation opens it."
        )
    )
    return Section("data", "The data", tuple(blocks), {"data": dict(data)})


def _pictures(found: Findings) -> list[Block]:
    counts = found.final.counts if found.final else None
    if counts is None and not found.study.synthetic:
        counts = np.array(list(OFFICIAL_COUNTS.values()))
    images = found.final.sample_images if found.final else None
    blocks: list[Block] = [] if images is None else [draw.samples(images, CLASSES)]
    if counts is not None:
        parts = (draw.counts(counts, CLASSES), _counts(counts))
        blocks.append(Row(parts, "Images and weights of the classes"))
    return blocks


def _counts(counts: np.ndarray) -> Table:
    train = counts[0]
    weights = train.sum() / (len(train) * train)
    rows = [
        [
            plain(label),
            plain(name),
            *(number(int(split[label]), 0) for split in counts),
            number(float(weights[label]), 3),
        ]
        for label, name in enumerate(CLASSES)
    ]
    rows.append(
        [
            plain(None, "all"),
            plain("all classes"),
            *(number(int(split.sum()), 0) for split in counts),
            number(1.0, 3),
        ]
    )
    columns = ("label", "class", "training", "validation", "test", "balanced weight")
    caption = "Classes, images and balanced class weights"
    return Table("classes", caption, columns, one_group(rows))
