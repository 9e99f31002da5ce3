"""Random augmentations of a batch, as TensorFlow graph code.

Drawing and applying are separate: the random numbers of a whole epoch are drawn at once from a
seed, without hidden state, and each batch takes its rows. An epoch therefore augments its images in
the same way whether or not the run was interrupted before it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import tensorflow as tf

LARGEST_ANGLE = 0.2 * 2 * math.pi
SYMMETRIES = 8


@dataclass(frozen=True)
class Augmentation:
    """One kind of augmentation.

    Attributes:
        draw: From a number of images n and an int32 seed of shape (2,) to a tensor whose n rows
            say what happens to each image.
        apply: From images (b, s, s, 3) of any type and b such rows to the augmented images.
    """

    draw: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    apply: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def flip_and_rotate(
    images: tf.Tensor, mirror_x: tf.Tensor, mirror_y: tf.Tensor, angle: tf.Tensor
) -> tf.Tensor:
    """Mirror float images, then rotate them about their centre, with a single resampling.

    Args:
        images: float32 (b, s, s, 3).
        mirror_x: -1.0 where an image is mirrored left to right, else 1.0; (b,).
        mirror_y: The same for upside down.
        angle: Radians, positive clockwise on the screen; pixels from outside the image are
            reflected at its edge, and values between pixels interpolated linearly; (b,).
    """
    return _resample(images, _transforms(mirror_x, mirror_y, angle))


def apply_symmetry(images: tf.Tensor, code: tf.Tensor) -> tf.Tensor:
    """Move the pixels of square images by one of the eight symmetries of the square.

    Args:
        images: Any type, (b, s, s, 3).
        code: int32 in [0, 8), (b,): bit 0 mirrors left to right, bit 1 upside down, and bit 2 then
            exchanges rows and columns.
    """
    bits = tf.bitwise.bitwise_and(code[:, None], [1, 2, 4])[:, :, None, None, None] > 0
    images = tf.where(bits[:, 0], images[:, :, ::-1], images)
    images = tf.where(bits[:, 1], images[:, ::-1], images)
    return tf.where(bits[:, 2], tf.transpose(images, (0, 2, 1, 3)), images)


def _transforms(mirror_x: tf.Tensor, mirror_y: tf.Tensor, angle: tf.Tensor) -> tf.Tensor:
    """Rows of six numbers that map a pixel of the result, relative to the centre, to its source."""
    cosine, sine = tf.cos(angle), tf.sin(angle)
    x = (mirror_x * cosine, -mirror_x * sine)
    y = (mirror_y * sine, mirror_y * cosine)
    return tf.stack([*x, *y], axis=1)


def _resample(images: tf.Tensor, transforms: tf.Tensor) -> tf.Tensor:
    centre = (images.shape[1] - 1) / 2
    xx, xy, yx, yy = tf.unstack(transforms, axis=1)
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


def _draw_flips_rotation(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    uniform = tf.random.stateless_uniform([3, count], seed, minval=-1.0)
    signs = tf.where(uniform[:2] < 0, -1.0, 1.0)
    return _transforms(signs[0], signs[1], LARGEST_ANGLE * uniform[2])


def _draw_symmetry(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_uniform([count], seed, maxval=SYMMETRIES, dtype=tf.int32)


AUGMENTATIONS: dict[Literal["none", "flips_rotation", "symmetries"], Augmentation] = {
    "none": Augmentation(lambda count, _: tf.zeros([count]), lambda images, _: images),
    "flips_rotation": Augmentation(_draw_flips_rotation, _resample),
    "symmetries": Augmentation(_draw_symmetry, apply_symmetry),
}
