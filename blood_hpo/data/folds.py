"""Which images a trial trains and is scored on: a stratified subset, cut into stratified folds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import resample

Indices = NDArray[np.int64]


class Fold(NamedTuple):
    """One division of a set of labelled images: int64, sorted positions, together all of them."""

    train: Indices
    held_out: Indices


def stratified_subset(labels: NDArray[np.uint8], fraction: float, seed: int) -> Indices:
    """Choose part of the images, each class in proportion to within one image.

    Args:
        labels: uint8 (N,).
        fraction: Above 0 and up to 1, of all images; rounded to whole images, at least one.
        seed: Of the choice.

    Returns:
        int64 (M,), sorted positions in ``labels``.
    """
    positions = np.arange(len(labels), dtype=np.int64)
    size = max(1, round(fraction * len(labels)))
    chosen = resample(
        positions, n_samples=size, replace=False, stratify=labels, random_state=seed % 2**32
    )
    return np.sort(chosen).astype(np.int64)


def stratified_folds(labels: NDArray[np.uint8], folds: int, seed: int) -> list[Fold]:
    """Cut images into folds, each held out once, each class evenly to within one image.

    Args:
        labels: uint8 (N,); of each class at least as many as folds.
        folds: 2 or more.
        seed: Of the shuffle.
    """
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32)
    return [Fold(*one) for one in splitter.split(np.zeros(len(labels)), labels)]
