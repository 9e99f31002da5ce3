"""Mixing: masks have the shares they promise, and labels go with the pixels."""

from typing import Any

import numpy as np
import pytest

from blood_hpo.models.mlp import MlpHyperparameters
from blood_hpo.training.mixing import mixed, mixing_masks


def drawn(kind: Any, strength: float = 1.0, seed: int = 3) -> Any:
    config = MlpHyperparameters(mixing=kind, mixing_strength=strength)
    return mixing_masks(config, 400, seed)


def test_without_mixing_there_are_no_masks() -> None:
    assert drawn("none").shape == (0, 28, 28, 1)


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_masks_follow_the_seed(kind: str) -> None:
    assert (drawn(kind).shape, drawn(kind).dtype) == ((400, 28, 28, 1), np.float32)
    np.testing.assert_array_equal(drawn(kind), drawn(kind))
    assert not np.array_equal(drawn(kind), drawn(kind, seed=4))


def test_mixup_keeps_one_share_of_the_whole_image() -> None:
    shares = drawn("mixup")[:, 0, 0, 0]
    np.testing.assert_array_equal(drawn("mixup") - shares[:, None, None, None], 0)
    assert (np.histogram(shares, 4, (0, 1))[0] > 60).all()
    weak = drawn("mixup", strength=0.05)[:, 0, 0, 0]
    assert np.mean(np.minimum(weak, 1 - weak) < 0.01) > 0.6


def test_cutmix_takes_one_box_from_the_other_image() -> None:
    masks = drawn("cutmix")[..., 0]
    assert set(np.unique(masks)) == {0, 1}
    for mask in masks:
        rows, columns = (mask == 0).any(axis=1), (mask == 0).any(axis=0)
        np.testing.assert_array_equal(mask == 0, rows[:, None] & columns[None, :])
        for side in (rows, columns):
            assert np.abs(np.diff(side.astype(int))).sum() <= 2
    given_away = 1 - masks.mean(axis=(1, 2))
    # Half on average, less what the edges cut off.
    assert 0.25 < given_away.mean() < 0.4


def test_partners_are_met_from_the_last_to_the_first() -> None:
    values = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], np.float32)
    expected = [[0.75, 0.0], [0.0, 1.0], [0.25, 0.0]]
    np.testing.assert_allclose(mixed(values, np.float32(0.75)), expected)
