"""What is computed from the training images of a fold alone: channel scaling and class weights."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blood_hpo.data.facts import CLASS_COUNT
from blood_hpo.models.hyperparameters import Hyperparameters


class Preparation(NamedTuple):
    """Constants of one fold.

    Attributes:
        mean: Subtracted from each channel of the raw 0 to 255 images, float32 (3,).
        deviation: Then divided by, float32 (3,), above 0.
        class_weights: Of each class in the loss, float32 (8,).
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    class_weights: NDArray[np.float32]


def prepare(
    config: Hyperparameters, images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> Preparation:
    """The constants for training on images, uint8 (n, 28, 28, 3), of labels (n,), all classes."""
    mean, deviation = np.zeros(3), np.full(3, 255.0)
    if config.standardise:
        mean = images.mean(axis=(0, 1, 2), dtype=np.float64)
        deviation = np.maximum(images.std(axis=(0, 1, 2), dtype=np.float64), 1.0)
    weights = np.ones(CLASS_COUNT)
    if config.class_weights == "balanced":
        from sklearn.utils.class_weight import compute_class_weight

        weights = compute_class_weight("balanced", classes=np.arange(CLASS_COUNT), y=labels)
    return Preparation(*(part.astype(np.float32) for part in (mean, deviation, weights)))
