"""Images that the data set repeats, and the test without those that were seen before."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blood_hpo.report.outcome.data_section import SPLITS
from blood_hpo.report.page.cells import count, listed, mean_sd, plain
from blood_hpo.report.page.document import Block, Cells, Table
from blood_hpo.report.read.final_stage import FinalStage
from blood_hpo.report.read.predictions import Predictions
from blood_hpo.report.read.scores import SCORES, Scores, all_scores
from blood_hpo.report.read.search_study import family_name


def blocks_of(final: FinalStage) -> list[Block]:
    """What the data set repeats, and the scores without the test images that were seen before."""
    first = final.models[0].predictions
    if not len(first.duplicates):
        return ["No image of the data set repeats another byte for byte."]
    seen = first.duplicated
    said = (
        f"{len(first.duplicates)} images of the data set repeat another byte for byte:"
        f" {listed(_kinds(first.duplicates))}."
    )
    rows = []
    for family, models in final.families.items():
        each = [one.predictions for one in models]
        rows += [
            _row(family, "all", len(first.labels), [one.scores for one in each]),
            _row(
                family,
                "without repeats",
                len(first.labels) - len(seen),
                [_without(one, seen) for one in each],
            ),
        ]
    note = (
        "The official scores, and those without the test images that are also in the training or"
        f" the validation split: number {listed([str(place) for place in seen])}."
    )
    caption = "The test without images that a model may have seen"
    table = Table("duplicates", caption, {"": rows}, note, folded=True)
    return [said, table] if len(seen) else [said]


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
