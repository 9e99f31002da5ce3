"""Subsets and folds: partitions with every class in proportion, the same for the same seed."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from blood_hpo.data.bloodmnist import find, load_split
from blood_hpo.data.folds import stratified_folds, stratified_subset
from blood_hpo.settings import Settings

SEEDS = st.integers(0, 2**64)


@st.composite
def label_sets(draw: st.DrawFn, fewest: int = 1) -> np.ndarray:
    counts = draw(st.lists(st.integers(fewest, 60), min_size=2, max_size=8))
    labels = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    return np.random.default_rng(draw(st.integers(0, 99))).permutation(labels)


@given(labels=label_sets(), fraction=st.floats(0.01, 1), seed=SEEDS)
def test_a_subset_keeps_the_proportions(labels: np.ndarray, fraction: float, seed: int) -> None:
    chosen = stratified_subset(labels, fraction, seed)
    assert chosen.dtype == np.int64
    assert len(chosen) == max(1, round(fraction * len(labels)))
    assert np.all(np.diff(chosen) > 0)
    share = np.bincount(labels) * len(chosen) / len(labels)
    assert np.all(np.abs(np.bincount(labels[chosen], minlength=len(share)) - share) < 1)
    assert np.array_equal(chosen, stratified_subset(labels, fraction, seed))


@given(labels=label_sets(), seed=SEEDS)
def test_a_fraction_of_one_is_everything(labels: np.ndarray, seed: int) -> None:
    assert np.array_equal(stratified_subset(labels, 1.0, seed), np.arange(len(labels)))


@given(labels=label_sets(fewest=5), folds=st.integers(2, 5), seed=SEEDS)
def test_folds_partition_every_class_evenly(labels: np.ndarray, folds: int, seed: int) -> None:
    cut = stratified_folds(labels, folds, seed)
    assert len(cut) == folds
    everything = np.arange(len(labels))
    assert np.array_equal(np.sort(np.concatenate([fold.held_out for fold in cut])), everything)
    for fold in cut:
        assert fold.train.dtype == fold.held_out.dtype == np.int64
        assert np.array_equal(np.setdiff1d(everything, fold.held_out), fold.train)
        share = np.bincount(labels) / folds
        assert np.all(np.abs(np.bincount(labels[fold.held_out]) - share) < 1)


def test_the_seed_decides() -> None:
    labels = np.arange(400, dtype=np.uint8) % 8
    subsets = {stratified_subset(labels, 0.4, seed).tobytes() for seed in range(5)}
    held_out = {stratified_folds(labels, 3, seed)[0].held_out.tobytes() for seed in range(5)}
    assert len(subsets) == len(held_out) == 5
    first, again = (stratified_folds(labels, 3, 7) for _ in range(2))
    assert all(np.array_equal(a.train, b.train) for a, b in zip(first, again, strict=True))


def test_the_subset_of_the_paper(real_data: Path, own_settings: Settings) -> None:
    labels = load_split(find(real_data, settings=own_settings), "train").labels
    subset = stratified_subset(labels, 0.4, 0)
    assert len(subset) == 4784
    sizes = [len(fold.held_out) for fold in stratified_folds(labels[subset], 3, 0)]
    assert sizes == [1595, 1595, 1594]
