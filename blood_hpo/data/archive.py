"""Reads an npz file of the MedMNIST layout, and trusts nothing in it.

Every array's header is checked before its data is read, so that no file makes a reader allocate
more than it declares, and nothing is ever unpickled. Whatever is wrong is one DataError.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, Final, cast

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from blood_hpo.data.facts import CLASSES, IMAGE_SHAPE, PREFIXES, SplitName
from blood_hpo.errors import DataError

SYNTHETIC_KEY: Final = "synthetic"
"""An array of this name marks a synthetic set, wherever the file is copied to."""

_LARGEST = 200_000  # images a split: 470 MB, sixteen times the official training split
_CHUNK = 1 << 20


def verify(path: Path) -> bool:
    """Check the whole file: keys, shapes, dtypes, label range, classes and every checksum in it.

    Returns:
        Whether the file is marked as synthetic.

    Raises:
        DataError: The file cannot be used; the message is one line that names it.
    """
    counts = class_counts(path)
    missing = [name for name, count in zip(CLASSES, counts["train"], strict=True) if not count]
    if missing:
        raise bad_file(path, f"has no training image of class {', '.join(missing)}")
    with _opened(path) as archive:
        for split, of_class in counts.items():
            with _entry(archive, f"{PREFIXES[split]}_images", IMAGE_SHAPE) as (stream, images):
                if images != sum(of_class):
                    raise ValueError(f"{images} {split} images but {sum(of_class)} labels")
                while stream.read(_CHUNK):
                    pass  # at the end of the stream zipfile compares the CRC
        return f"{SYNTHETIC_KEY}.npy" in archive.namelist()


def class_counts(path: Path) -> dict[SplitName, tuple[int, ...]]:
    """Count the images of each class in each split, from the labels alone.

    Raises:
        DataError: The labels cannot be read or are out of range.
    """
    with _opened(path) as archive:
        return {
            split: tuple(np.bincount(_labels(archive, prefix), minlength=len(CLASSES)).tolist())
            for split, prefix in PREFIXES.items()
        }


def read_split(path: Path, split: SplitName) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read one split: images (N, 28, 28, 3) and labels (N,), both uint8.

    Only for the modules of this package: everything else asks
    :func:`blood_hpo.data.bloodmnist.load_split`, which has no test split to give.

    Raises:
        DataError: The arrays are missing, damaged or not what the layout says.
    """
    prefix = PREFIXES[split]
    with _opened(path) as archive:
        labels = _labels(archive, prefix)
        images = _array(archive, f"{prefix}_images", IMAGE_SHAPE)
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} {split} images but {len(labels)} labels")
        return images, labels


def bad_file(path: Path, problem: str) -> DataError:
    """The error for a file that cannot be used: one line, with what to do next."""
    return DataError(
        f"{path} {' '.join(problem.split())}; "
        "give a BloodMNIST 28x28 file in the MedMNIST layout, or run `blood-hpo data fetch`"
    )


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except DataError:
        raise
    except Exception as error:  # for damaged bytes zipfile and numpy raise a dozen different kinds
        raise bad_file(path, f"is damaged or not a BloodMNIST npz file: {error}") from error


@contextmanager
def _entry(
    archive: zipfile.ZipFile, key: str, row_shape: tuple[int, ...]
) -> Iterator[tuple[IO[bytes], int]]:
    """Open one array behind its checked header: the stream at the data, and the rows."""
    try:
        entry = archive.getinfo(f"{key}.npy")
    except KeyError:
        raise ValueError(f"it has no array {key}") from None
    with archive.open(entry) as stream:
        version = npy.read_magic(stream)
        read_header = {
            (1, 0): npy.read_array_header_1_0,
            (2, 0): npy.read_array_header_2_0,
        }.get(version)
        if read_header is None:
            raise ValueError(f"{key} is stored as npy version {version}")
        shape, _, dtype = read_header(stream)
        if dtype.hasobject:
            raise ValueError(f"{key} holds pickled objects, which are never loaded")
        if dtype != np.uint8:
            raise ValueError(f"{key} has dtype {dtype}, expected uint8")
        if shape[1:] != row_shape or not 0 < shape[0] <= _LARGEST:
            expected = ", ".join(map(str, ("N", *row_shape)))
            raise ValueError(f"{key} has shape {shape}, expected ({expected})")
        if entry.file_size != stream.tell() + prod(shape):
            raise ValueError(f"{key} is not as long as its header says")
        yield stream, shape[0]


def _array(archive: zipfile.ZipFile, key: str, row_shape: tuple[int, ...]) -> NDArray[np.uint8]:
    with _entry(archive, key, row_shape):
        pass  # the header is sound, so the array may be read
    with archive.open(f"{key}.npy") as stream:
        return cast("NDArray[np.uint8]", npy.read_array(stream, allow_pickle=False))


def _labels(archive: zipfile.ZipFile, prefix: str) -> NDArray[np.uint8]:
    labels = _array(archive, f"{prefix}_labels", (1,))[:, 0]
    if labels.max() >= len(CLASSES):
        raise ValueError(
            f"{prefix}_labels goes up to {labels.max()}, expected 0 to {len(CLASSES) - 1}"
        )
    return labels
