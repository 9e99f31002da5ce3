"""Images that the data set repeats, and the test without those that were seen before."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blood_hpo.report.outcome.data_section import SPLITS
from blood_hpo.report.page.cells import count, listed, mean_sd, plain
from blood_hpo.report.page.document import Block, Cells
from blood_hpo.report.page.words import said, table
from blood_hpo.report.read.final_stage import FinalStage
from blood_hpo.report.read.predictions import Predictions
from blood_hpo.report.read.scores import SCORES, Scores, all_scores
from blood_hpo.report.read.search_study import family_name


def blocks_of(final: FinalStage) -> list[Block]:
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
        rows.append(_row(family, "all", images, each))
        rows.append(_row(family, "without repeats", images - len(seen), without))
    return [opening, table("duplicates", rows, places=listed([str(place) for place in seen]))]


def _row(family: str, which: str, images: int, each: Sequence[Scores]) -> Cells:
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
