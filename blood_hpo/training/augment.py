"""Random augmentations in TensorFlow graph code.

Those that only move pixels gather the bytes of the images by a table of indices. The others map the
pixel grid by one 2 x 2 matrix an image, so that mirroring and rotating resample it once. What an
epoch draws follows from a seed alone, whether or not the run was interrupted before it.
"""

import math
from itertools import product

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from blood_hpo.data.facts import SIDE

LARGEST_ANGLE = 0.2 * 2 * math.pi
LARGEST_SHIFT = 2
SYMMETRIES = [(x, 0, 0, y) for x, y in product((1, -1), repeat=2)] + [
    (0, x, y, 0) for x, y in product((1, -1), repeat=2)
]


class Augmentation:
    """No augmentation, and the three steps of any: draw for an epoch, gather, transform."""

    def draw(self, count: tf.Tensor, _seed: tf.Tensor) -> tf.Tensor:
        """What an epoch needs to know of each of its images: (count, ...), from a seed (2,)."""
        return tf.zeros([count])

    def gather(self, images: tf.Tensor, indices: tf.Tensor, _drawn: tf.Tensor) -> tf.Tensor:
        """The images at ``indices`` (n,), uint8 (n, 28, 28, 3), of all images (N, 28, 28, 3)."""
        return tf.gather(images, indices)

    def transform(self, images: tf.Tensor, _drawn: tf.Tensor) -> tf.Tensor:
        """The gathered images after scaling, float32 (n, 28, 28, 3), in their final form."""
        return images


class Moves(Augmentation):
    """One of the eight symmetries of the square, then a shift by whole pixels, all equally likely.

    Beyond its edges the picture is reflected.
    """

    def __init__(self, largest_shift: int) -> None:
        self._shifts = range(-largest_shift, largest_shift + 1)

    def table(self) -> NDArray[np.int32]:
        """Where each pixel of the result comes from: (8 * shifts * shifts, 784), row by row."""
        reflected = np.concatenate([np.arange(SIDE), np.arange(SIDE)[::-1]])
        down, right = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
        moves = []
        for (xx, xy, yx, yy), x, y in product(SYMMETRIES, self._shifts, self._shifts):
            column = (xx * right + xy * down + (SIDE - 1) / 2 + x).astype(np.int32)
            row = (yx * right + yy * down + (SIDE - 1) / 2 + y).astype(np.int32)
            moves.append(reflected[row % (2 * SIDE)] * SIDE + reflected[column % (2 * SIDE)])
        return np.reshape(moves, (-1, SIDE * SIDE)).astype(np.int32)

    def draw(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Rows of the table, int32 (count,)."""
        most, uniform = len(self._shifts), tf.random.stateless_uniform
        chosen = uniform([count], seed, maxval=len(SYMMETRIES), dtype=tf.int32)
        shifts = uniform([count, 2], seed + 1, maxval=most, dtype=tf.int32)
        return (chosen * most + shifts[:, 0]) * most + shifts[:, 1]

    def gather(self, images: tf.Tensor, indices: tf.Tensor, drawn: tf.Tensor) -> tf.Tensor:
        """The images at ``indices``, moved."""
        pixels = indices[:, None] * SIDE**2 + tf.gather(tf.constant(self.table()), drawn)
        found = tf.gather(tf.reshape(images, (-1, 3)), pixels)
        return tf.reshape(found, (-1, SIDE, SIDE, 3))


class FlipsRotation(Augmentation):
    """Each mirroring with probability 1/2 on its own, then any angle up to 72 degrees."""

    def draw(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Matrices, float32 (count, 4)."""
        uniform = tf.random.stateless_uniform([3, count], seed, minval=-1.0)
        signs = tf.where(uniform[:2] < 0, -1.0, 1.0)
        return flips_rotation(signs[0], signs[1], LARGEST_ANGLE * uniform[2])

    def transform(self, images: tf.Tensor, drawn: tf.Tensor) -> tf.Tensor:
        """The images, each mapped by its matrix.

        Values between pixels are interpolated linearly, and the picture is reflected at its edges.
        """
        centre = (images.shape[1] - 1) / 2
        xx, xy, yx, yy = tf.unstack(drawn, axis=1)
        offset_x, offset_y = centre * (1 - xx - xy), centre * (1 - yx - yy)
        none = tf.zeros_like(xx)
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=tf.stack([xx, xy, offset_x, yx, yy, offset_y, none, none], axis=1),
            output_shape=images.shape[1:3],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="REFLECT",
        )


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": Augmentation(),
    "flips_rotation": FlipsRotation(),
    "symmetries": Moves(0),
    "symmetries_shifts": Moves(LARGEST_SHIFT),
}


def flips_rotation(mirror_x: tf.Tensor, mirror_y: tf.Tensor, angle: tf.Tensor) -> tf.Tensor:
    """Matrices that mirror an image where -1.0 is given, else 1.0, and then rotate it; all (n,).

    The angle is in radians; a positive one turns the picture anticlockwise.

    Returns:
        float32 (n, 4): the matrix ((xx, xy), (yx, yy)) from a pixel of the result to its source,
        both relative to the centre of the image, x to the right and y downwards.
    """
    cosine, sine = tf.cos(angle), tf.sin(angle)
    rows = [mirror_x * cosine, -mirror_x * sine, mirror_y * sine, mirror_y * cosine]
    return tf.stack(rows, axis=1)
