"""What a model gave to each test image, and what follows from that."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from blood_hpo.metrics import accuracy
from blood_hpo.report.read.scores import Contributions, Scores, all_scores, contributions, ranks

TEST = 2
"""Number of the test split, after training and validation."""

SAVED = {
    "labels": "test_labels",
    "probabilities": "test_probabilities",
    "averaged": "test_averaged",
    "images": "misclassified_images",
    "duplicates": "duplicates",
}
"""Names of arrays in the file of predictions, by attribute of `Predictions`."""


@dataclass(frozen=True)
class Mistake:
    """A misclassified test image.

    Attributes:
        index: Place in the test split, from 0.
        image: uint8 (28, 28, 3).
        rank: Place of the true class among the probabilities.
    """

    index: int
    image: NDArray[np.uint8]
    true: int
    probabilities: NDArray[np.floating]
    rank: int

    @property
    def predicted(self) -> int:
        """The class that it was taken for."""
        return int(self.probabilities.argmax())


@dataclass(frozen=True)
class Predictions:
    """What one model gave to each test image, in the order of the split.

    Attributes:
        labels: True classes, uint8 (n,).
        probabilities: float32 (n, 8).
        averaged: The same averaged over the eight symmetries; no rows where that was not asked.
        images: Those of the wrong predictions, uint8 (wrong, 28, 28, 3).
        duplicates: Images of the data set that repeat another, int64 (repeats, 5): split and place
            of the first copy, split and place of the repeat, whether both have the same label.
            Splits are 0, 1, 2: training, validation, test.
    """

    labels: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    averaged: NDArray[np.float32]
    images: NDArray[np.uint8]
    duplicates: NDArray[np.int64]

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The predictions in `arrays`, as read from a file; a KeyError where one is missing."""
        return cls(**{name: arrays[key] for name, key in SAVED.items()})

    def arrays(self) -> dict[str, Any]:
        """What is saved, by name: all figures can be computed from it again."""
        return {key: getattr(self, name) for name, key in SAVED.items()}

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each prediction is correct."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.labels)

    @property
    def misclassified(self) -> NDArray[np.int64]:
        """Places of the wrong predictions, ascending."""
        return np.flatnonzero(~self.correct)

    @property
    def duplicated(self) -> NDArray[np.int64]:
        """Places of the test images that occur in the training or the validation split too."""
        copied, _, split, place, _ = self.duplicates.T
        return np.unique(place[(split == TEST) & (copied < TEST)])

    @cached_property
    def scores(self) -> Scores:
        """All scores."""
        return all_scores(self.labels, self.probabilities)

    @property
    def averaged_accuracy(self) -> float | None:
        """Accuracy of the averaged predictions, if there are any."""
        return accuracy(self.labels, self.averaged) if len(self.averaged) else None

    @cached_property
    def contributions(self) -> dict[str, Contributions]:
        """What each image adds to each score."""
        return contributions(self.labels, self.probabilities)

    def mistakes(self, count: int) -> list[Mistake]:
        """The first wrong prediction of each class, then further ones up to ``count``, by place."""
        wrong = self.misclassified
        true, places = self.labels[wrong], ranks(self.labels, self.probabilities)[wrong]
        _, first = np.unique(true, return_index=True)
        others = np.setdiff1d(np.arange(len(wrong)), first)
        chosen = sorted([*first, *others][: max(count, len(first))])
        return [
            Mistake(
                index=int(wrong[row]),
                image=self.images[row],
                true=int(true[row]),
                probabilities=self.probabilities[wrong[row]],
                rank=int(places[row]),
            )
            for row in chosen
        ]
