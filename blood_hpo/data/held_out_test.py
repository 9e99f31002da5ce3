"""The test split, apart from all else: only the final evaluation imports this module.

A search that could see these images would choose by them. The layers of the project forbid the
import everywhere but in ``blood_hpo.final.evaluate``, and a contract test proves it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blood_hpo.data.archive import Split, read_split
from blood_hpo.data.source import DataSource, unchanged


def load_test_split(source: DataSource) -> Split:
    """Load the test split, or raise a DataError where the file has changed."""
    return read_split(unchanged(source), "test")


def duplicates(splits: Sequence[Split]) -> NDArray[np.int64]:
    """Every image of training, validation and test that repeats an earlier one, byte for byte.

    Returns:
        Shape (repeats, 5): split and place of the first copy, split and place of the repeat, and
        whether both have the same label; ordered by the repeat.
    """
    first: dict[bytes, tuple[int, int, int]] = {}
    found = []
    for number, split in enumerate(splits):
        for place, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
            here = (number, place, int(label))
            copy = first.setdefault(image.tobytes(), here)
            if copy != here:
                found.append((*copy[:2], *here[:2], copy[2] == here[2]))
    return np.array(found, dtype=np.int64).reshape(-1, 5)
