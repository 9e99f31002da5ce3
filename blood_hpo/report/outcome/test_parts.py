"""Parts of the test: what the models of a family predict, and the test without repeated images."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from blood_hpo.data.facts import CLASSES
from blood_hpo.metrics import confusion
from blood_hpo.report.outcome import prediction_figures as draw
from blood_hpo.report.outcome.data_section import SPLITS
from blood_hpo.report.page.cells import count, listed, mean_sd, number, plain
from blood_hpo.report.page.document import Block, Cells, Row, Table
from blood_hpo.report.page.theme import colour
from blood_hpo.report.page.words import said, table
from blood_hpo.report.read.final_stage import FinalStage, Model
from blood_hpo.report.read.predictions import Predictions
from blood_hpo.report.read.published import ORIGINAL, ORIGINAL_RECALL
from blood_hpo.report.read.scores import SCORES, ClassScores, Scores, all_scores, rank_counts
from blood_hpo.report.read.search_study import family_name

EXAMPLES = 8
"""Misclassified images to be shown, or as many as there are classes with one."""


def of_family(family: str, models: Sequence[Model]) -> list[Block]:
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


def repeats(final: FinalStage) -> list[Block]:
    """What the data set repeats, and the scores without the test images that were seen before."""
    first = final.models[0].predictions
    if not len(first.duplicates):
        return [said("no-repeats")]
    seen, kinds = first.duplicated, listed(_kinds(first.duplicates))
    opening = said("repeats", count=len(first.duplicates), kinds=kinds)
    if not len(seen):
        return [opening]
    images, rows = len(first.labels), []
    for family, models in final.families.items():
        each = [one.predictions.scores for one in models]
        without = [_without(one.predictions, seen) for one in models]
        rows.append(_scored(family, "all", images, each))
        rows.append(_scored(family, "without repeats", images - len(seen), without))
    return [opening, table("duplicates", rows, places=listed([str(place) for place in seen]))]


def _scored(family: str, which: str, images: int, each: Sequence[Scores]) -> Cells:
    scores = {text: mean_sd([getattr(one, name) for one in each]) for name, text in SCORES.items()}
    return {
        "model": plain(family, family_name(family)),
        "test images": plain(which),
        "count": count(images),
        **scores,
    }


def _kinds(duplicates: NDArray[np.int64]) -> list[str]:
    """How many repeats there are between which splits."""
    repeats = [(copied, split, same) for copied, _, split, _, same in duplicates.tolist()]
    found = Counter((copied, split) for copied, split, _ in repeats)
    other = Counter((copied, split) for copied, split, same in repeats if not same)
    return [
        f"{number} {'within' if one == two else f'of {SPLITS[one]} in'} {SPLITS[two]}"
        + (f" ({other[one, two]} with another label)" if other[one, two] else "")
        for (one, two), number in sorted(found.items())
    ]


def _without(found: Predictions, left_out: NDArray[np.int64]) -> Scores:
    labels = np.delete(found.labels, left_out)
    return all_scores(labels, np.delete(found.probabilities, left_out, axis=0))
