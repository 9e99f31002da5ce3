"""Random augmentations as linear maps of the pixel grid, in TensorFlow graph code.

Each augmentation of an image is one 2 x 2 matrix, so that mirroring and rotating resample the image
once. The matrices of a whole epoch are drawn together from a seed, without hidden state: an epoch
augments its images in the same way whether or not the run was interrupted before it.
"""

import math
from collections.abc import Callable
from itertools import product
from typing import Literal

import tensorflow as tf

LARGEST_ANGLE = 0.2 * 2 * math.pi
LARGEST_SHIFT = 2
SYMMETRIES = [(x, 0.0, 0.0, y) for x, y in product((1.0, -1.0), repeat=2)] + [
    (0.0, x, y, 0.0) for x, y in product((1.0, -1.0), repeat=2)
]


def flips_rotation(mirror_x: tf.Tensor, mirror_y: tf.Tensor, angle: tf.Tensor) -> tf.Tensor:
    """Matrices that mirror an image and then rotate it.

    Args:
        mirror_x: -1.0 where an image is mirrored left to right, else 1.0; (n,).
        mirror_y: The same for upside down.
        angle: Radians; a positive one turns the picture anticlockwise; (n,).

    Returns:
        float32 (n, 4): the matrix ((xx, xy), (yx, yy)) from a pixel of the result to its source,
        both relative to the centre of the image, x to the right and y downwards.
    """
    cosine, sine = tf.cos(angle), tf.sin(angle)
    rows = [mirror_x * cosine, -mirror_x * sine, mirror_y * sine, mirror_y * cosine]
    return tf.stack(rows, axis=1)


def resample(images: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """Map each image by its matrix.

    Values between pixels are interpolated linearly, and the picture is reflected at its edges. A
    symmetry of the square needs neither: it moves pixels and leaves every value as it is.

    Args:
        images: float32 (n, s, s, 3).
        matrices: float32 (n, 4), as `flips_rotation` gives them; or (n, 6), followed by a shift in
            pixels to the right and downwards from a pixel of the result to its source.
    """
    centre = (images.shape[1] - 1) / 2
    xx, xy, yx, yy, *shift = tf.unstack(matrices, axis=1)
    offset_x, offset_y = centre * (1 - xx - xy), centre * (1 - yx - yy)
    if shift:
        offset_x, offset_y = offset_x + shift[0], offset_y + shift[1]
    none = tf.zeros_like(xx)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([xx, xy, offset_x, yx, yy, offset_y, none, none], axis=1),
        output_shape=images.shape[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def _draw_flips_rotation(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Each mirroring with probability 1/2 on its own, any angle up to 72 degrees either way."""
    uniform = tf.random.stateless_uniform([3, count], seed, minval=-1.0)
    signs = tf.where(uniform[:2] < 0, -1.0, 1.0)
    return flips_rotation(signs[0], signs[1], LARGEST_ANGLE * uniform[2])


def _draw_symmetries(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Each of the eight symmetries of the square with equal probability."""
    chosen = tf.random.stateless_uniform([count], seed, maxval=len(SYMMETRIES), dtype=tf.int32)
    return tf.gather(tf.constant(SYMMETRIES), chosen)


def _draw_symmetries_shifts(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """A symmetry, and a shift by whole pixels, up to two each way."""
    shifts = tf.random.stateless_uniform(
        [count, 2], seed + 1, -LARGEST_SHIFT, LARGEST_SHIFT + 1, dtype=tf.int32
    )
    return tf.concat([_draw_symmetries(count, seed), tf.cast(shifts, tf.float32)], axis=1)


Draw = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""From a number of images n and an int32 seed (2,) to n random matrices, (n, 4) or (n, 6)."""

DRAWS: dict[Literal["none", "flips_rotation", "symmetries", "symmetries_shifts"], Draw | None] = {
    "none": None,
    "flips_rotation": _draw_flips_rotation,
    "symmetries": _draw_symmetries,
    "symmetries_shifts": _draw_symmetries_shifts,
}
