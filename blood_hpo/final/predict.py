"""A saved model at work on new images, after a look at whether it is the file that was saved."""

import re
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blood_hpo.data.facts import CLASSES, IMAGE_SHAPE
from blood_hpo.errors import InputError
from blood_hpo.text import refuse_endless

SHAPES = ((None, *IMAGE_SHAPE), (None, len(CLASSES)))
"""Of the input and the output of every model that this program saves."""


def read_model(path: Path, digest: str | None = None) -> bytes:
    """The content of a ``.keras`` file, if it is the one that was saved; else an InputError.

    Its SHA-256 is given, or else stands in the file of the same name with ``.sha256`` at its end,
    where a report has put it.
    """
    content = _read(path, "name a .keras file, as in the folder models/ of a report")
    expected = _digest(digest, "--sha256") if digest is not None else _noted(path)
    found = sha256(content).hexdigest()
    if found != expected:
        raise InputError(
            f"{path} is not the model that was saved: its SHA-256 is {found[:12]}… and not"
            f" {expected[:12]}…; write the report anew to get it back"
        )
    return content


def classify(content: bytes, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], bool]:
    """What a model makes of images, and whether it has only ever seen synthetic ones.

    The model is loaded in safe mode: nothing in its file is run as a program. It gets images uint8
    (n, 28, 28, 3) and gives probabilities float32 (n, 8).

    Raises:
        InputError: The content is no model, or one that takes or gives something else.
    """
    from blood_hpo.final.export import SYNTHETIC, load, predict

    try:
        model = load(content)
        shapes = (model.input_shape, model.output_shape)
    except Exception as error:  # whatever Keras raises for a file that it cannot or must not load
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"the model does not load in safe mode ({reason}…)") from error
    if shapes != SHAPES:
        raise InputError(
            f"the model takes {shapes[0]} and gives {shapes[1]}, not {SHAPES[0]} and {SHAPES[1]};"
            " name one that this program saved"
        )
    return predict(model, images), str(model.name).startswith(SYNTHETIC)


def _noted(path: Path) -> str:
    beside = path.with_name(f"{path.name}.sha256")
    if not beside.exists():
        raise InputError(
            f"{path} has no {beside.name} beside it, so nobody knows whether it is what was saved;"
            " give its SHA-256, which report.json holds, with --sha256"
        )
    words = _read(beside, "write the report anew").decode(errors="replace").split()
    return _digest(words[0] if words else "", str(beside))


def _digest(text: str, where: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise InputError(f"{where} holds no SHA-256; it has 64 hexadecimal digits")
    return text.lower()


def _read(path: Path, advice: str) -> bytes:
    try:
        refuse_endless(path)
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); {advice}") from error
