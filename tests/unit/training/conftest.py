"""TensorFlow, set up as in a worker, and a small set of images that can be learned."""

import numpy as np
import pytest
from numpy.typing import NDArray

from blood_hpo.training.runtime import configure

configure()

Images = NDArray[np.uint8]


def learnable(count: int) -> tuple[Images, Images]:
    """One faint pattern a class under noise: uint8 (n, 28, 28, 3) and labels (n,)."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 60, (8, 28, 28, 3))
    labels = rng.integers(0, 8, count).astype(np.uint8)
    noise = rng.integers(0, 195, (count, 28, 28, 3))
    return (noise + patterns[labels]).astype(np.uint8), labels


@pytest.fixture(scope="session")
def data() -> tuple[Images, Images]:
    """120 images and labels; read, never written."""
    return learnable(120)
