"""The test of one family: confusion, classes, ranks of the true class, examples of mistakes."""

from collections.abc import Sequence
from statistics import fmean

from blood_hpo.data.facts import CLASSES
from blood_hpo.metrics import confusion
from blood_hpo.report.outcome import prediction_figures as draw
from blood_hpo.report.page.cells import count, mean_sd, number, plain
from blood_hpo.report.page.document import Block, Cells, Row, Table
from blood_hpo.report.page.theme import colour
from blood_hpo.report.page.words import table
from blood_hpo.report.read.final_stage import Model
from blood_hpo.report.read.published import ORIGINAL, ORIGINAL_RECALL
from blood_hpo.report.read.scores import ClassScores, rank_counts
from blood_hpo.report.read.search_study import family_name

EXAMPLES = 8
"""Misclassified images to be shown, or as many as there are classes with one."""


def blocks_of(family: str, models: Sequence[Model]) -> list[Block]:
    """Drawings and tables of a family's models, most of them of its first seed."""
    first, name = models[0].predictions, family_name(family)
    matrix = confusion(first.labels, first.probabilities)
    drawn = draw.confusion(f"confusion-{family}", name, matrix.tolist(), colour(family))
    blocks: list[Block] = [Row((drawn, _classes(family, models)))]
    if len(first.misclassified):
        ranks = draw.ranks(family, rank_counts(first.labels, first.probabilities))
        mistakes = draw.mistakes(family, first.mistakes(EXAMPLES))
        blocks.append(Row((mistakes, ranks), f"{name}: its mistakes"))
    return blocks


def _classes(family: str, models: Sequence[Model]) -> Table:
    each = [one.predictions.scores for one in models]
    original, recalls = ORIGINAL.get(family), ORIGINAL_RECALL.get(family)
    rows = [
        _row(name, [one.classes[label] for one in each], recalls[label] if recalls else None)
        for label, name in enumerate(CLASSES)
    ]
    every = [
        ClassScores(
            precision=fmean(row.precision for row in one.classes),
            recall=one.accuracy,
            f1=fmean(row.f1 for row in one.classes),
            support=sum(row.support for row in one.classes),
        )
        for one in each
    ]
    rows.append(_row("all", every, original.accuracy if original else None))
    return table("per-class", rows, f"per-class-{family}", family=family_name(family))


def _row(name: str, each: Sequence[ClassScores], original: float | None) -> Cells:
    return {
        "class": plain(name),
        "images": count(each[0].support),
        "recall": mean_sd([one.recall for one in each]),
        "precision": mean_sd([one.precision for one in each]),
        "F1": mean_sd([one.f1 for one in each]),
        "original's recall": number(original),
    }
