"""The test of one family: confusion, classes, ranks of the true class, examples of mistakes."""

from collections.abc import Sequence
from statistics import fmean

from blood_hpo.data.facts import CLASSES
from blood_hpo.metrics import confusion
from blood_hpo.report.outcome import prediction_figures as draw
from blood_hpo.report.page.cells import Cell, mean_sd, number, plain
from blood_hpo.report.page.document import Block, Row, Table, one_group
from blood_hpo.report.page.theme import colour
from blood_hpo.report.read.final_stage import Model
from blood_hpo.report.read.published import ORIGINAL, ORIGINAL_RECALL
from blood_hpo.report.read.scores import rank_counts
from blood_hpo.report.read.search_study import family_name

EXAMPLES = 8
"""Misclassified images to be shown, or as many as there are classes with one."""


def blocks_of(family: str, models: Sequence[Model]) -> list[Block]:
    """Drawings and tables of a family's models, most of them of its first seed."""
    first, name = models[0].predictions, family_name(family)
    matrix = confusion(first.labels, first.probabilities)
    drawing = draw.confusion(f"confusion-{family}", name, matrix.tolist(), colour(family))
    blocks: list[Block] = [Row((drawing, _classes(family, models)))]
    if not len(first.misclassified):
        return blocks
    ranks = draw.ranks(family, rank_counts(first.labels, first.probabilities))
    drawn = (draw.mistakes(family, first.mistakes(EXAMPLES), CLASSES), ranks)
    return [*blocks, Row(drawn, f"{name}: its mistakes")]


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
    columns = ("class", "images", "recall", "precision", "F1", "original's recall")
    caption = f"{family_name(family)}, each class"
    groups = (*one_group(rows), *one_group([_all_classes(family, models)]))
    return Table(f"per-class-{family}", caption, columns, groups)


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
