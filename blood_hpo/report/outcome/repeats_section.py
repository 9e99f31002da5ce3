"""Images that the data set repeats, and the test without those that were seen before."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from blood_hpo.report.page.cells import listed, mean_sd, number, plain
from blood_hpo.report.page.document import Block, Table, Text, one_group
from blood_hpo.report.read.final_stage import FinalStage, Predictions
from blood_hpo.report.read.scores import SCORES, Scores, all_scores
from blood_hpo.report.read.search_study import family_name

SPLITS = ("training", "validation", "test")


def blocks_of(final: FinalStage) -> list[Block]:
    """What the data set repeats, and the scores without the test images that were seen before."""
    first = final.models[0].predictions
    if not len(first.duplicates):
        return [Text("No image of the data set repeats another byte for byte.")]
    seen = first.duplicated
    said = (
        f"{len(first.duplicates)} images of the data set repeat another byte for byte:"
        f" {listed(_kinds(first.duplicates))}."
    )
    if not len(seen):
        return [Text(said)]
    rows = [
        [
            plain(family, family_name(family)),
            plain(which),
            number(len(first.labels) - left_out, 0),
            *(mean_sd([getattr(one, name) for one in each]) for name in SCORES),
        ]
        for family, models in final.families.items()
        for which, left_out, each in (
            ("all", 0, [one.predictions.scores for one in models]),
            ("without repeats", len(seen), [_without(one.predictions, seen) for one in models]),
        )
    ]
    columns = ("model", "test images", "count", *SCORES.values())
    note = (
        "The official scores, and those without the test images that are also in the training or"
        f" the validation split: number {listed([str(place) for place in seen])}."
    )
    caption = "The test without images that a model may have seen"
    return [Text(said), Table("duplicates", caption, columns, one_group(rows), note, folded=True)]


def _kinds(duplicates: NDArray[np.int64]) -> list[str]:
    """How many repeats there are between which splits."""
    found = Counter((copied, split) for copied, _, split, _, _ in duplicates.tolist())
    other = Counter(
        (copied, split) for copied, _, split, _, same in duplicates.tolist() if not same
    )
    return [
        f"{count} {f'within {SPLITS[one]}' if one == two else f'of {SPLITS[one]} in {SPLITS[two]}'}"
        + (f" ({other[one, two]} with another label)" if other[one, two] else "")
        for (one, two), count in sorted(found.items())
    ]


def _without(found: Predictions, left_out: NDArray[np.int64]) -> Scores:
    labels = np.delete(found.labels, left_out)
    return all_scores(labels, np.delete(found.probabilities, left_out, axis=0))
