"""A checkpoint is read whole or not at all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from blood_hpo.worker.checkpoint import Checkpoint

from .conftest import MakeStudy

COMPRESSION = 10  # where the central directory of a zip file has an entry's compression method


def unknown_compression(content: bytes) -> bytes:
    place = content.index(b"PK\x01\x02") + COMPRESSION
    return content[:place] + b"\x63" + content[place + 1 :]


def encrypted(content: bytes) -> bytes:
    place = content.index(b"PK\x01\x02") + COMPRESSION - 2
    return content[:place] + b"\x01" + content[place + 1 :]


DAMAGES: list[Callable[[bytes], bytes]] = [
    lambda content: content[:100],
    lambda content: content.replace(b"NUMPY", b"numpy"),
    lambda _: b"",
    lambda _: b"nothing of the kind",
    unknown_compression,
    encrypted,
]


def test_a_damaged_checkpoint_is_none(make_study: MakeStudy, tmp_path: Path) -> None:
    """Whatever a library raises for it: else every attempt at the trial would fail."""
    checkpoint = Checkpoint(tmp_path, make_study(), "trial")
    checkpoint.save({"weights": np.arange(100.0)})
    assert checkpoint.load()
    whole = checkpoint.path.read_bytes()
    for damage in DAMAGES:
        checkpoint.path.write_bytes(damage(whole))
        assert checkpoint.load() is None
