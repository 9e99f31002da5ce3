"""Which images a trial trains and is scored on: a stratified subset, cut into stratified folds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import resample

from blood_hpo.errors import DataError

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """One division of a set of labelled images.

    Attributes:
        train: int64, sorted positions in the labels to train on.
        held_out: int64, sorted positions of all the others; the score is taken on these.
    """

    train: Indices
    held_out: Indices


def stratified_subset(labels: NDArray[np.uint8], fraction: float, seed: int) -> Indices:
    """Choose part of the images, each class in proportion to within one image.

    Args:
        labels: uint8 (N,).
        fraction: Above 0 and up to 1, of all images; rounded to whole images, at least one.
        seed: Of the choice; the same labels, fraction and seed give the same subset.

    Returns:
        int64 (M,), sorted positions in ``labels``.

    Raises:
        ValueError: The fraction is out of range.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"a data fraction lies above 0 and up to 1, not at {fraction}")
    positions = np.arange(len(labels), dtype=np.int64)
    size = max(1, round(fraction * len(labels)))
    chosen = resample(
        positions, n_samples=size, replace=False, stratify=labels, random_state=seed % 2**32
    )
    return np.sort(chosen).astype(np.int64)


def stratified_folds(labels: NDArray[np.uint8], folds: int, seed: int) -> list[Fold]:
    """Cut images into folds; each is held out once, each class evenly to within one image.

    Args:
        labels: uint8 (N,).
        folds: 2 or more.
        seed: Of the shuffle; the same labels, folds and seed give the same folds.

    Returns:
        The folds; positions are those in ``labels``.

    Raises:
        DataError: A class has fewer images than there are folds.
    """
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < folds:
        rarest = int(np.argmin(counts))
        raise DataError(
            f"class {classes[rarest]} has {counts[rarest]} images, too few for {folds} folds; "
            "raise the data fraction or lower the number of folds"
        )
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32)
    return [
        Fold(train.astype(np.int64), held_out.astype(np.int64))
        for train, held_out in splitter.split(np.zeros(len(labels)), labels)
    ]
