"""Two images made one, and their labels with them: mixup and CutMix.

Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization"; Yun et al. 2019, "CutMix".
"""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from blood_hpo.data.facts import SIDE
from blood_hpo.models.hyperparameters import Hyperparameters


def mixing_masks(config: Hyperparameters, steps: int, seed: int) -> NDArray[np.float32]:
    """How much of each pixel an image keeps, in [0, 1]: (steps, 28, 28, 1), one mask a batch.

    With "mixup" all pixels keep the same share, from Beta(alpha, alpha). With "cutmix" they keep
    all or nothing: a box of the share that is given away, cut off at the edges, comes from the
    other image. With "none" there are no masks: (0, 28, 28, 1). The seed is in [0, 2**32).
    """
    if config.mixing == "none":
        return np.empty((0, SIDE, SIDE, 1), np.float32)
    rng = np.random.default_rng(seed)
    kept = rng.beta(config.mixing_strength, config.mixing_strength, (steps, 1))
    masks = np.ones((steps, SIDE, SIDE, 1), np.float32)
    if config.mixing == "mixup":
        return masks * kept[:, :, None, None].astype(np.float32)
    centres = rng.uniform(0, SIDE, (2, steps, 1))
    rows, columns = np.abs(np.arange(SIDE) + 0.5 - centres) < SIDE * np.sqrt(1 - kept) / 2
    masks[rows[:, :, None] & columns[:, None, :]] = 0
    return masks


def mixed(values: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Each of (n, ...) values with its partner, from the last to the first, in the given shares."""
    return share * values + (1 - share) * tf.reverse(values, [0])
