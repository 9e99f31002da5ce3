"""Images to be classified, from PNG and npz files; none is scaled unasked.

The size of a cell in its image is part of what a model has learnt. BloodMNIST was made from
photographs of 360 x 363 pixels, of which the central 200 x 200 were shrunk to 28 x 28 (Yang et al.,
"MedMNIST v2", Scientific Data 10:41, 2023).
"""

import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blood_hpo.data.archive import read_array
from blood_hpo.data.facts import SIDE
from blood_hpo.errors import InputError
from blood_hpo.text import refuse_endless

ARRAY: Final = "images"
"""The array of an npz file that holds its images."""


class Picture(NamedTuple):
    """One image by its file, and its place where that holds several; uint8 (28, 28, 3), RGB."""

    name: str
    pixels: NDArray[np.uint8]


def read_pictures(paths: Sequence[Path], crop: int | None = None) -> list[Picture]:
    """Read all images of some files, in their order, or raise an InputError.

    Args:
        paths: PNG files, and npz files with an array ``images``, uint8 (n, height, width, 3).
        crop: Side of the central square, in pixels, that is kept of each image and shrunk to
            28 x 28; without it every image must be of that size.
    """
    return [
        Picture(name, _fitted(name, pixels, crop))
        for path in paths
        for name, pixels in _contents(path)
    ]


def _contents(path: Path) -> list[tuple[str, NDArray[np.uint8]]]:
    try:
        refuse_endless(path)
        if path.suffix.lower() == ".npz":
            with zipfile.ZipFile(path) as archive:
                images = read_array(archive, ARRAY, ("height", "width", 3))
            return [(f"{path}[{place}]", one) for place, one in enumerate(images)]
        return [(str(path), _png(path))]
    except OSError as error:
        problem = error.strerror or f"it is no PNG image, or damaged: {error}"
        raise _unusable(path, problem) from error
    except Exception as error:  # damaged bytes make Pillow and numpy raise a dozen different kinds
        raise _unusable(path, str(error) or type(error).__name__) from error


def _png(path: Path) -> NDArray[np.uint8]:
    from PIL import Image

    with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
        image = Image.open(path, formats=["PNG"])
    with image:
        if image.mode not in {"RGB", "RGBA", "P"}:
            raise ValueError(f"it is no RGB image with 8 bits a colour but {image.mode}")
        pixels = np.asarray(image.convert("RGBA"))
    if pixels[..., 3].min() < 255:  # noqa: PLR2004 - fully opaque
        raise ValueError("it is partly transparent")
    return pixels[..., :3]


def _fitted(name: str, pixels: NDArray[np.uint8], crop: int | None) -> NDArray[np.uint8]:
    height, width, _ = pixels.shape
    if crop is None and (height, width) != (SIDE, SIDE):
        raise InputError(
            f"{name} has {width} x {height} pixels and not {SIDE} x {SIDE}; tell with --crop how"
            " much of its centre shows the cell (200 for the photographs of BloodMNIST)"
        )
    if crop is None:
        return pixels
    if crop > min(height, width):
        raise InputError(f"{name} has {width} x {height} pixels, less than --crop {crop}")
    from PIL import Image

    left, top = (width - crop) // 2, (height - crop) // 2
    image = Image.fromarray(np.ascontiguousarray(pixels[top : top + crop, left : left + crop]))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _unusable(path: Path, problem: str) -> InputError:
    return InputError(
        f"{path} cannot be classified: {' '.join(problem.split())}; give PNG images, or an npz file"
        f" with an array {ARRAY!r}, uint8 (n, {SIDE}, {SIDE}, 3)"
    )
