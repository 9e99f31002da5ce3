"""Augmentations: equal to Keras's layers for a given draw, and exact where they promise it."""

import math
from itertools import product
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from blood_hpo.data.facts import SIDE
from blood_hpo.training.augment import (
    AUGMENTATIONS,
    LARGEST_ANGLE,
    LARGEST_SHIFT,
    SYMMETRIES,
    flips_rotation,
)

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@pytest.fixture
def images() -> Floats:
    return np.random.default_rng(5).normal(size=(8, SIDE, SIDE, 3)).astype(np.float32)


@pytest.fixture
def pixels() -> Bytes:
    return np.random.default_rng(6).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def drawn(kind: Any, count: int, seed: tuple[int, int]) -> NDArray[Any]:
    return np.asarray(AUGMENTATIONS[kind].draw(tf.constant(count), tf.constant(seed)))


def resample(images: Any, matrices: Any) -> Any:
    return AUGMENTATIONS["flips_rotation"].transform(images, matrices)


def moved(kind: Any, image: Bytes, count: int) -> Bytes:
    """An image, the second of two, augmented many times."""
    both = np.stack([np.zeros_like(image), image])
    chosen = np.ones(count, np.int32)
    return np.asarray(AUGMENTATIONS[kind].gather(both, chosen, drawn(kind, count, (3, 4))))


@pytest.mark.parametrize("degrees", [0.0, 72.0, -72.0, 17.3, -45.0])
def test_rotations_are_keras_rotations(images: Floats, degrees: float) -> None:
    layer = keras.layers.RandomRotation((degrees / 360, degrees / 360), fill_mode="reflect")
    ones = np.ones(8, np.float32)
    ours = resample(images, flips_rotation(ones, ones, ones * math.radians(degrees)))
    np.testing.assert_allclose(ours, layer(images, training=True), atol=2e-4)


@pytest.mark.parametrize("mirror_x", [1.0, -1.0])
@pytest.mark.parametrize("mirror_y", [1.0, -1.0])
def test_one_resampling_equals_mirroring_and_then_rotating(
    images: Floats, mirror_x: float, mirror_y: float
) -> None:
    mirrored = images[:, :: int(mirror_y), :: int(mirror_x)]
    layer = keras.layers.RandomRotation((0.11, 0.11), fill_mode="reflect")
    ones = np.ones(8, np.float32)
    angle = ones * (0.11 * 2 * math.pi)
    ours = resample(images, flips_rotation(ones * mirror_x, ones * mirror_y, angle))
    np.testing.assert_allclose(ours, layer(mirrored, training=True), atol=2e-4)


def test_mirroring_alone_only_moves_pixels(images: Floats) -> None:
    ones = np.ones(8, np.float32)
    left_to_right = np.asarray(resample(images, flips_rotation(-ones, ones, 0 * ones)))
    upside_down = np.asarray(resample(images, flips_rotation(ones, -ones, 0 * ones)))
    np.testing.assert_array_equal(left_to_right, images[:, :, ::-1])
    np.testing.assert_array_equal(upside_down, images[:, ::-1])


def test_each_flip_has_probability_one_half_and_angles_are_uniform() -> None:
    xx, xy, yx, yy = drawn("flips_rotation", 4000, (1, 2)).T
    determinant = xx * yy - xy * yx
    np.testing.assert_allclose(np.abs(determinant), 1, atol=1e-5)
    angles = np.arctan2(yx, yy) * np.where(np.abs(np.arctan2(yx, yy)) > math.pi / 2, np.nan, 1)
    right_way_up = np.isfinite(angles)
    mirror_y = np.where(yy < 0, -1, 1)
    mirror_x = np.where(determinant < 0, -mirror_y, mirror_y)
    assert np.abs(np.mean(mirror_x)) < 0.05
    assert np.abs(np.mean(mirror_y)) < 0.05
    assert np.abs(np.mean(mirror_x * mirror_y)) < 0.05
    assert np.nanmax(np.abs(angles)) <= LARGEST_ANGLE + 1e-6
    quarters = np.histogram(angles[right_way_up], 4, (-LARGEST_ANGLE, LARGEST_ANGLE))[0]
    assert (np.abs(quarters / right_way_up.sum() - 0.25) < 0.04).all()


def symmetries_of(image: Bytes) -> list[Bytes]:
    """The eight symmetries of the square by array operations."""
    return [np.rot90(turned, k) for turned in (image, image.transpose(1, 0, 2)) for k in range(4)]


def test_symmetries_only_move_pixels_and_all_eight_occur(pixels: Bytes) -> None:
    exact = [image.tobytes() for image in symmetries_of(pixels)]
    found = [exact.index(image.tobytes()) for image in moved("symmetries", pixels, 200)]
    counts = np.bincount(found, minlength=8)
    assert (counts >= 10).all(), counts


def test_shifts_move_a_symmetry_by_up_to_two_pixels_and_reflect_at_the_edges(pixels: Bytes) -> None:
    most = LARGEST_SHIFT
    exact = {
        padded[down : down + SIDE, right : right + SIDE].tobytes(): (
            number,
            down,
            right,
        )
        for number, image in enumerate(symmetries_of(pixels))
        for padded in [np.pad(image, ((most, most), (most, most), (0, 0)), mode="symmetric")]
        for down, right in product(range(2 * most + 1), repeat=2)
    }
    assert len(exact) == 8 * 25
    found = [exact[image.tobytes()] for image in moved("symmetries_shifts", pixels, 2000)]
    assert set(found) == set(product(range(8), range(5), range(5)))


@pytest.mark.parametrize("shifts", [False, True])
def test_moving_bytes_equals_resampling_by_the_same_draw(pixels: Bytes, shifts: bool) -> None:
    # So did earlier versions: equal seeds draw equal moves, and training is the same to the bit.
    seed = tf.constant((3, 4))
    chosen = np.asarray(tf.random.stateless_uniform([50], seed, maxval=8, dtype=tf.int32))
    matrices = np.asarray(SYMMETRIES, np.float32)[chosen]
    images = np.repeat(pixels[None], 50, axis=0).astype(np.float32)
    expected = np.asarray(resample(images, matrices))
    kind = "symmetries_shifts" if shifts else "symmetries"
    ours = moved(kind, pixels, 50).astype(np.float32)
    if shifts:
        by = np.asarray(tf.random.stateless_uniform([50, 2], seed + 1, -2, 3, dtype=tf.int32))
        inner = slice(LARGEST_SHIFT, -LARGEST_SHIFT)
        back = zip(ours, expected, matrices, by, strict=True)
        for image, plain, (xx, xy, yx, yy), (right, down) in back:
            turned = np.array([[xx, yx], [xy, yy]]) @ (right, down)
            shifted = np.roll(plain, (-int(turned[1]), -int(turned[0])), axis=(0, 1))
            np.testing.assert_array_equal(image[inner, inner], shifted[inner, inner])
    else:
        np.testing.assert_array_equal(ours, expected)


def test_symmetries_are_a_group() -> None:
    matrices = [np.reshape(one, (2, 2)).astype(float) for one in SYMMETRIES]
    names = {one.tobytes() for one in matrices}
    # Adding 0.0 turns -0.0 into 0.0, which has other bytes.
    products = {(a @ b + 0.0).tobytes() for a in matrices for b in matrices}
    assert len(names) == 8
    assert products == names


@pytest.mark.parametrize("kind", ["flips_rotation", "symmetries", "symmetries_shifts"])
def test_draws_depend_on_the_seed_alone(kind: str) -> None:
    first = drawn(kind, 50, (7, 8))
    np.testing.assert_array_equal(first, drawn(kind, 50, (7, 8)))
    assert not np.array_equal(first, drawn(kind, 50, (7, 9)))
    assert not np.array_equal(first, drawn(kind, 50, (8, 8)))
