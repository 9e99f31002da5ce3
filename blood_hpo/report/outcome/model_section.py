"""The test of one family: confusion, classes, ranks of the true class, examples of mistakes."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np

from blood_hpo.data.facts import CLASSES
from blood_hpo.metrics import confusion
from blood_hpo.report.outcome import prediction_figures as draw
from blood_hpo.report.page.cells import Cell, mean_sd, number, plain
from blood_hpo.report.page.document import Block, Figures, Heading, Table, one_group
from blood_hpo.report.read.final_stage import Mistake, Model
from blood_hpo.report.read.published import ORIGINAL, ORIGINAL_RECALL
from blood_hpo.report.read.scores import rank_counts
from blood_hpo.report.read.search_study import family_name

EXAMPLES = 8
"""Misclassified images to be shown, or as many as there are classes with one."""


def blocks_of(family: str, models: Sequence[Model]) -> list[Block]:
    """Drawings and tables of a family's models, most of them of its first seed."""
    first = models[0].predictions
    matrix = confusion(first.labels, first.probabilities)
    counts = rank_counts(first.labels, first.probabilities)
    blocks: list[Block] = [
        Heading(family_name(family)),
        draw.confusion(family, matrix, CLASSES),
        _confusion(family, matrix),
        Figures((draw.ranks(family, counts),), f"{family_name(family)}: ranks of the true class"),
        _classes(family, models),
    ]
    examples = first.mistakes(EXAMPLES)
    if examples:
        blocks += [draw.mistakes(family, examples, CLASSES), _examples(family, examples)]
    return blocks


def _confusion(family: str, matrix: np.ndarray[Any, Any]) -> Table:
    rows = [
        [plain(name), *(number(int(count), 0, best=x == y) for x, count in enumerate(row))]
        for y, (name, row) in enumerate(zip(CLASSES, matrix, strict=True))
    ]
    caption = f"{family_name(family)}: true class by row, predicted class by column"
    return Table(
        f"confusion-{family}", caption, ("true class", *CLASSES), one_group(rows), folded=True
    )


def _classes(family: str, models: Sequence[Model]) -> Table:
    each = [one.predictions.scores.classes for one in models]
    original = ORIGINAL_RECALL.get(family)
    rows = [
        [
            plain(name),
            number(each[0][label].support, 0),
            mean_sd([one[label].recall for one in each]),
            mean_sd([one[label].precision for one in each]),
            mean_sd([one[label].f1 for one in each]),
            number(original[label] if original else None),
        ]
        for label, name in enumerate(CLASSES)
    ]
    columns = ("class", "images", "recall", "precision", "F1", "original report's recall")
    note = (
        "Recall is what the original report calls the accuracy of a class. The last row has the"
        " accuracy, and the mean precision and F1 of the classes."
    )
    several = ": mean ± standard deviation over seeds" if len(models) > 1 else ""
    caption = f"{family_name(family)}, each class{several}"
    groups = (*one_group(rows), *one_group([_all_classes(family, models)]))
    return Table(f"per-class-{family}", caption, columns, groups, note)


def _all_classes(family: str, models: Sequence[Model]) -> list[Cell]:
    each = [one.predictions.scores for one in models]
    original = ORIGINAL.get(family)
    return [
        plain("all"),
        number(len(models[0].predictions.labels), 0),
        mean_sd([one.accuracy for one in each]),
        mean_sd([fmean(row.precision for row in one.classes) for one in each]),
        mean_sd([fmean(row.f1 for row in one.classes) for one in each]),
        number(original.accuracy if original else None),
    ]


def _examples(family: str, examples: Sequence[Mistake]) -> Table:
    rows = [
        [
            number(one.index, 0),
            plain(CLASSES[one.true]),
            plain(CLASSES[int(one.probabilities.argmax())]),
            number(one.rank, 0),
            *(number(float(value)) for value in one.probabilities),
        ]
        for one in examples
    ]
    columns = ("test image", "true class", "predicted", "rank of the true class", *CLASSES)
    caption = f"{family_name(family)}: the misclassified images above, in numbers"
    note = "Every prediction of every model, right or wrong, is in predictions/."
    name = f"mistakes-{family}"
    return Table(name, caption, columns, one_group(rows), note, folded=True)
