"""What every trial of a study trains, stops and scores on: one seeded subset and its folds.

Training and validation images come from their own splits; the test split cannot be reached from
here. All trials of a study share the folds, so their scores are paired.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from blood_hpo.data.bloodmnist import DataSource, Split, load_split
from blood_hpo.data.folds import Fold, Indices, stratified_folds, stratified_subset
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.training.seeds import derive


@dataclass(frozen=True)
class SearchData:
    """Images of the search, with the roles they play.

    Attributes:
        images: uint8, shape (N, 28, 28, 3): the training subset followed by the validation subset.
        labels: uint8, shape (N,), 0..7.
        validation: int64 indices of the validation subset, which steers early stopping.
        folds: Training and held-out int64 indices of each fold within the training subset.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    validation: npt.NDArray[np.int64]
    folds: tuple[Fold, ...]


def search_data(spec: StudySpec, source: DataSource) -> SearchData:
    """Load the stratified subsets that a study file asks for, and split them into folds.

    Raises:
        DataError: The data set cannot be read.
    """
    train, validation = load_split(source, "train"), load_split(source, "validation")
    return _arranged(
        _taken(train, _of_search(train, spec, "train")),
        _taken(validation, _of_search(validation, spec, "validation")),
        spec.training.folds,
        spec.seed,
    )


def fresh_data(spec: StudySpec, source: DataSource, seed: int) -> SearchData:
    """As many images as the search has, none of them the search's where enough are left.

    Of each split as many are drawn, stratified by class, as the search drew: from those that it
    left untouched where they are that many (a fraction of up to one half), and else from all.

    Args:
        spec: The study file of the search, with its own seed.
        source: The data set.
        seed: Of the draw and of the folds.

    Raises:
        DataError: The data set cannot be read.
    """
    train, validation = load_split(source, "train"), load_split(source, "validation")
    return _arranged(
        _taken(train, _fresh(train, _of_search(train, spec, "train"), seed)),
        _taken(validation, _fresh(validation, _of_search(validation, spec, "validation"), seed)),
        spec.training.folds,
        seed,
    )


def refolded(data: SearchData, spec: StudySpec) -> SearchData:
    """The same images in the folds that the study's seed gives."""
    train = data.labels[: len(data.labels) - len(data.validation)]
    folds = stratified_folds(train, spec.training.folds, derive(spec.seed, "folds"))
    return replace(data, folds=tuple(folds))


def _arranged(train: Split, validation: Split, folds: int, seed: int) -> SearchData:
    offset = len(train.labels)
    return SearchData(
        images=np.concatenate([train.images, validation.images]),
        labels=np.concatenate([train.labels, validation.labels]),
        validation=np.arange(offset, offset + len(validation.labels), dtype=np.int64),
        folds=tuple(stratified_folds(train.labels, folds, derive(seed, "folds"))),
    )


def _of_search(split: Split, spec: StudySpec, name: str) -> Indices:
    seed = derive(spec.seed, "subset", name)
    return stratified_subset(split.labels, spec.data.fraction, seed)


def _fresh(split: Split, searched: Indices, seed: int) -> Indices:
    every = np.arange(len(split.labels), dtype=np.int64)
    left = np.setdiff1d(every, searched)
    pool = left if len(left) >= len(searched) else every
    share = len(searched) / len(pool)
    return pool[stratified_subset(split.labels[pool], share, derive(seed, "fresh"))]


def _taken(split: Split, chosen: Indices) -> Split:
    return Split(images=split.images[chosen], labels=split.labels[chosen])
