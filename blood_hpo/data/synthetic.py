"""Draws a stand-in for BloodMNIST: cell-like images of eight classes, the same on every machine.

It says nothing about blood: every file carries a mark, and all that is made from it says SYNTHETIC.
"""

import os
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blood_hpo.data.archive import SYNTHETIC_KEY
from blood_hpo.data.facts import OFFICIAL_COUNTS, PREFIXES, SplitName
from blood_hpo.data.synthetic_cells import Canvas
from blood_hpo.errors import DataError

DEFAULT_SIZES: Final[dict[SplitName, int]] = {"train": 1600, "validation": 320, "test": 480}


def write_synthetic(
    path: Path, *, sizes: dict[SplitName, int] | None = None, seed: int = 2024
) -> None:
    """Write a synthetic set in the MedMNIST layout, whole or not at all.

    The same seed and sizes give the same bytes: the file holds no time, and it is not compressed
    because compressors differ between versions.

    Args:
        path: The npz file; its folder is created, and a file that is there is replaced.
        sizes: Images in each split, at least 8 each, else a ValueError; see ``DEFAULT_SIZES``.
        seed: Of the generator, 0 or more.

    Raises:
        DataError: The file cannot be written.
    """
    arrays: dict[str, NDArray[np.generic]] = {SYNTHETIC_KEY: np.array("SYNTHETIC")}
    rng = np.random.default_rng(seed)
    for split, size in (sizes or DEFAULT_SIZES).items():
        labels = _labels(split, size, rng)
        arrays[f"{PREFIXES[split]}_images"] = Canvas(labels, rng).draw()
        arrays[f"{PREFIXES[split]}_labels"] = labels[:, None]
    try:
        _write(path, arrays)
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}); name another") from error


def _write(path: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _labels(split: SplitName, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Labels (size,) in random order, as unevenly spread as the official ones, none missing."""
    official = np.array(OFFICIAL_COUNTS[split])
    if size < len(official):
        raise ValueError(f"the {split} split needs at least {len(official)} images, not {size}")
    share = official * (size - len(official)) / official.sum()
    counts = 1 + np.floor(share).astype(np.int64)
    most_cut = np.argsort(np.floor(share) - share, kind="stable")
    counts[most_cut[: size - counts.sum()]] += 1
    return rng.permutation(np.repeat(np.arange(len(official), dtype=np.uint8), counts))
