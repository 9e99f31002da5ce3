"""Scaling and class weights come from the training images of the fold alone."""

import numpy as np
import pytest

from blood_hpo.models.mlp import MlpHyperparameters
from blood_hpo.training.preparation import prepare

RNG = np.random.default_rng(3)
IMAGES = RNG.integers((0, 60, 120), (90, 150, 210), (60, 28, 28, 3)).astype(np.uint8)
LABELS = np.repeat(np.arange(8), [10, 1, 4, 5, 20, 5, 5, 10]).astype(np.uint8)


def test_the_default_scales_to_the_unit_interval_and_weighs_all_images_alike() -> None:
    mean, deviation, weights = prepare(MlpHyperparameters(), IMAGES, LABELS)
    assert (mean.tolist(), deviation.tolist(), weights.tolist()) == ([0] * 3, [255] * 3, [1] * 8)


def test_standardised_channels_have_mean_0_and_deviation_1() -> None:
    mean, deviation, _ = prepare(MlpHyperparameters(standardise=True), IMAGES, LABELS)
    scaled = (IMAGES.astype(np.float64) - mean) / deviation
    np.testing.assert_allclose(scaled.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=(0, 1, 2)), 1, atol=1e-5)


def test_a_flat_channel_is_not_divided_by_zero() -> None:
    flat = np.full_like(IMAGES, 7)
    mean, deviation, _ = prepare(MlpHyperparameters(standardise=True), flat, LABELS)
    assert mean.tolist() == [7, 7, 7]
    assert deviation.tolist() == [1, 1, 1]


def test_balanced_weights_are_inverse_frequencies() -> None:
    weights = prepare(MlpHyperparameters(class_weights="balanced"), IMAGES, LABELS).class_weights
    assert weights * np.bincount(LABELS) == pytest.approx(len(LABELS) / 8)
