"""Which file a study reads, told apart by its checksums and never by its name."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from blood_hpo.data.archive import bad_file, verify
from blood_hpo.data.facts import RECONSTRUCTED_SHA256
from blood_hpo.data.medmnist_package import info

Origin = Literal["path", "environment", "cache", "download", "synthetic"]

_CHUNK = 1 << 20


class Checksums(NamedTuple):
    """Lower-case hexadecimal digests of a file."""

    sha256: str
    md5: str


@dataclass(frozen=True)
class DataSource:
    """One verified data file.

    Attributes:
        path: Where it is on this machine.
        origin: How it was found; two machines may find the same file differently.
        sha256: What must be equal for two results to compare.
        md5: The digest that MedMNIST publishes.
        official: Whether it is, byte for byte, the file MedMNIST publishes.
        synthetic: Whether its images are drawn and no photographs.
    """

    path: Path
    origin: Origin
    sha256: str
    md5: str
    official: bool
    synthetic: bool

    @property
    def label(self) -> str:
        """What results on this file are called, everywhere."""
        if self.synthetic:
            return "SYNTHETIC"
        if self.official:
            return "BloodMNIST 28x28 (official)"
        known = self.sha256 == RECONSTRUCTED_SHA256
        return f"BloodMNIST 28x28, {'reconstructed' if known else 'not the official file'}"

    def describe(self) -> dict[str, str | bool]:
        """What a study records: all but the path, which means nothing on another machine."""
        return {
            "label": self.label,
            "origin": self.origin,
            "sha256": self.sha256,
            "md5": self.md5,
            "official": self.official,
            "synthetic": self.synthetic,
        }


def checksums(path: Path) -> Checksums:
    """SHA-256 and MD5 of a file, read once.

    Raises:
        OSError: The file cannot be read.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            sha256.update(chunk)
            md5.update(chunk)
    return Checksums(sha256.hexdigest(), md5.hexdigest())


def open_source(path: Path, origin: Origin) -> DataSource:
    """Verify a file and say what it is.

    A file with the official MD5 is the official file, and its content needs no further look.

    Raises:
        DataError: There is no such file, or it cannot be used.
    """
    path = path.expanduser()
    try:
        _require_content(path)
        sha256, md5 = checksums(path)
    except OSError as error:
        raise bad_file(path, f"cannot be read: {error.strerror or error}") from error
    official = md5 == info()["MD5"]
    synthetic = not official and verify(path)
    return DataSource(path, origin, sha256, md5, official, synthetic)


def _require_content(path: Path) -> None:
    size = path.stat().st_size
    if path.is_dir():
        raise bad_file(path, "is a folder, not a file")
    if not path.is_file():
        raise bad_file(path, "is not a regular file")
    if size == 0:
        raise bad_file(path, "is empty")
