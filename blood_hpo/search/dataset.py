"""What every trial of a study trains, stops and scores on: one seeded subset and its folds.

All trials of a study share the folds, so their scores are paired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blood_hpo.data.bloodmnist import CLASSES, DataSource, Split, load_split
from blood_hpo.data.facts import SplitName
from blood_hpo.data.folds import Fold, stratified_folds, stratified_subset
from blood_hpo.errors import DataError
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.training.seeds import derive


@dataclass(frozen=True)
class SearchData:
    """Images of the search, with the roles they play.

    Attributes:
        images: uint8 (N, 28, 28, 3): the training subset, then the validation subset.
        labels: uint8 (N,), 0..7.
        validation: int64 indices of the validation subset, which steers early stopping.
        folds: Of the training subset.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    validation: npt.NDArray[np.int64]
    folds: tuple[Fold, ...]


def search_data(spec: StudySpec, source: DataSource, fresh: int | None = None) -> SearchData:
    """Load the stratified subsets that a study file asks for, and split them into folds.

    With ``fresh``, a seed of the draw and of the folds, of each split and class as many images are
    drawn as without: from those that are then left untouched where they are that many (a fraction
    of up to one half; of an odd number in a class one fewer, if that leaves one for each fold), and
    else from all.

    Raises:
        DataError: The data set cannot be read, or a class has too few images: see `refuse_too_few`.
    """
    train = _subset(load_split(source, "train"), spec, "train", fresh)
    validation = _subset(load_split(source, "validation"), spec, "validation", fresh)
    _refuse_too_few(spec, train.labels, validation.labels)
    offset, seed = len(train.labels), spec.seed if fresh is None else fresh
    return SearchData(
        images=np.concatenate([train.images, validation.images]),
        labels=np.concatenate([train.labels, validation.labels]),
        validation=np.arange(offset, offset + len(validation.labels), dtype=np.int64),
        folds=tuple(stratified_folds(train.labels, spec.training.folds, derive(seed, "folds"))),
    )


def refuse_too_few(spec: StudySpec, counts: Mapping[SplitName, Sequence[int]]) -> None:
    """Raise a DataError if the subsets have too few images of a class.

    Of training these are as many as folds, of validation one where the objective needs all classes.
    """
    subsets = []
    for name in ("train", "validation"):
        labels = np.repeat(np.arange(len(CLASSES), dtype=np.uint8), counts[name])
        seed = derive(spec.seed, "subset", name)
        subsets.append(labels[stratified_subset(labels, spec.data.fraction, seed)])
    _refuse_too_few(spec, *subsets)


def _refuse_too_few(
    spec: StudySpec, train: npt.NDArray[np.uint8], validation: npt.NDArray[np.uint8]
) -> None:
    folds, whole = spec.training.folds, spec.objective == "macro_auc"
    needs = (
        ("training", train, folds, f"{folds} folds; raise it, or lower training.folds"),
        ("validation", validation, int(whole), "macro_auc; raise it, or take another objective"),
    )
    for split, labels, least, what in needs:
        left = np.bincount(labels, minlength=len(CLASSES))
        if left.min() < least:
            raise DataError(
                f"study {spec.name}: data.fraction {spec.data.fraction:g} leaves {left.min()}"
                f" {split} images of class {CLASSES[left.argmin()]}, too few for {what}"
            )


def _subset(split: Split, spec: StudySpec, name: str, fresh: int | None) -> Split:
    labels, seed = split.labels, derive(spec.seed, "subset", name)
    chosen = stratified_subset(labels, spec.data.fraction, seed)
    if fresh is not None:
        left = np.setdiff1d(np.arange(len(labels)), chosen)
        wanted, untouched = (
            np.bincount(labels[one], minlength=len(CLASSES)) for one in (chosen, left)
        )
        enough = (untouched >= np.minimum(wanted, spec.training.folds)).all()
        pool = left if enough and len(left) + 1 >= len(chosen) else np.arange(len(labels))
        pool = np.random.default_rng(derive(fresh, "subset", name)).permutation(pool)
        drawn = [pool[labels[pool] == label][:count] for label, count in enumerate(wanted)]
        chosen = np.sort(np.concatenate(drawn))
    return Split(images=split.images[chosen], labels=labels[chosen])
