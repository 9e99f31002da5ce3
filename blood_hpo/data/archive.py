"""Reads npz files, above all those of the MedMNIST layout, and trusts nothing in them.

Every array's header is checked before its data is read, so that no file makes a reader allocate
more than it declares, and nothing is ever unpickled.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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

_LARGEST = 200_000  # images of 28 x 28: 470 MB, sixteen times the official training split
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Split:
    """RGB images of one split, uint8 (N, 28, 28, 3), and labels, uint8 (N,), from 0 to 7."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)


def verify(path: Path) -> bool:
    """Check all of a file, or raise a DataError; whether it is marked as synthetic."""
    counts = class_counts(path)
    with _opened(path) as archive:
        for split, of_class in counts.items():
            missing = [name for name, count in zip(CLASSES, of_class, strict=True) if not count]
            if missing:
                raise bad_file(path, f"has no {split} image of class {', '.join(missing)}")
            with _entry(archive, f"{PREFIXES[split]}_images", IMAGE_SHAPE) as (stream, images):
                if images != sum(of_class):
                    raise ValueError(f"{images} {split} images but {sum(of_class)} labels")
                while stream.read(_CHUNK):
                    pass  # at the end of the stream zipfile compares the CRC
        return f"{SYNTHETIC_KEY}.npy" in archive.namelist()


def class_counts(path: Path) -> dict[SplitName, tuple[int, ...]]:
    """Count the images of each class in each split, from the labels alone; else a DataError."""
    with _opened(path) as archive:
        return {
            split: tuple(np.bincount(_labels(archive, prefix), minlength=len(CLASSES)).tolist())
            for split, prefix in PREFIXES.items()
        }


def read_split(path: Path, split: SplitName) -> Split:
    """Read one split, also the test split, or raise a DataError: for this package alone."""
    prefix = PREFIXES[split]
    with _opened(path) as archive:
        labels = _labels(archive, prefix)
        images = read_array(archive, f"{prefix}_images", IMAGE_SHAPE)
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} {split} images but {len(labels)} labels")
        return Split(images, labels)


def read_array(
    archive: zipfile.ZipFile, key: str, row_shape: tuple[int | str, ...]
) -> NDArray[np.uint8]:
    """Read one array, uint8 (N, *row_shape), or raise a ValueError; a word is any length."""
    with _entry(archive, key, row_shape) as (stream, _):
        stream.seek(0)  # the header is sound, so the array may be read
        return cast("NDArray[np.uint8]", npy.read_array(stream, allow_pickle=False))


def bad_file(path: Path, problem: str) -> DataError:
    """The error for a file that cannot be used: one line, with what to do next."""
    return DataError(
        f"{path} {' '.join(problem.split())}; give a BloodMNIST 28x28 file in the MedMNIST layout,"
        " or none and run `blood-hpo data fetch`"
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
    archive: zipfile.ZipFile, key: str, row_shape: tuple[int | str, ...]
) -> Iterator[tuple[IO[bytes], int]]:
    """Open one array behind its checked header: the stream at the data, and the rows."""
    try:
        entry = archive.getinfo(f"{key}.npy")
    except KeyError:
        raise ValueError(f"it has no array {key}") from None
    with archive.open(entry) as stream:
        if npy.read_magic(stream) != (1, 0):
            raise ValueError(f"{key} is no npy array of version 1.0")
        shape, _, dtype = npy.read_array_header_1_0(stream)
        if dtype != np.uint8:
            raise ValueError(f"{key} has dtype {dtype}, expected uint8")
        _refuse_shape(key, shape, row_shape)
        if entry.file_size != stream.tell() + prod(shape):
            raise ValueError(f"{key} is not as long as its header says")
        yield stream, shape[0]


def _refuse_shape(key: str, shape: tuple[int, ...], row_shape: tuple[int | str, ...]) -> None:
    usual = prod(IMAGE_SHAPE)
    most = _LARGEST * usual // max(prod(shape[1:]), usual)
    lengths = zip(shape[1:], row_shape, strict=False)
    fits = all(given == wanted or isinstance(wanted, str) for given, wanted in lengths)
    if not fits or len(shape) != 1 + len(row_shape) or not 0 < shape[0] <= most:
        expected = ", ".join(map(str, ("N", *row_shape)))
        raise ValueError(f"{key} has shape {shape}, expected ({expected}), N up to {most:,}")


def _labels(archive: zipfile.ZipFile, prefix: str) -> NDArray[np.uint8]:
    labels = read_array(archive, f"{prefix}_labels", (1,))[:, 0]
    if labels.max() >= len(CLASSES):
        raise ValueError(
            f"{prefix}_labels goes up to {labels.max()}, expected 0 to {len(CLASSES) - 1}"
        )
    return labels
