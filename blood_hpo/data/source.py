"""Which file a study reads, told apart by its checksums and never by its name."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from blood_hpo.data.archive import bad_file, verify
from blood_hpo.data.facts import RECONSTRUCTED_SHA256
from blood_hpo.data.medmnist_package import info
from blood_hpo.errors import DataError
from blood_hpo.text import refuse_endless

Origin = Literal["path", "environment", "cache", "download", "synthetic"]


@dataclass(frozen=True)
class DataSource:
    """One verified data file, and how it was found on this machine.

    Attributes:
        sha256: What must be equal for two results to compare, in lower-case hexadecimal.
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
        found = {"label": self.label, **asdict(self)}
        del found["path"]
        return found


def open_source(path: Path, origin: Origin) -> DataSource:
    """Verify a file and say what it is; a DataError where there is none, or it cannot be used.

    A file with the official MD5 is the official file, and its content needs no further look.
    """
    path = path.expanduser()
    try:
        refuse_endless(path)
        sha256, md5 = _digest(path, "sha256"), _digest(path, "md5")
    except OSError as error:
        raise bad_file(path, f"cannot be read: {error.strerror or error}") from error
    official = md5 == info()["MD5"]
    synthetic = not official and verify(path)
    return DataSource(path, origin, sha256, md5, official, synthetic)


def unchanged(source: DataSource) -> Path:
    """Where the file is, which is still what was found there; or a DataError."""
    try:
        same = _digest(source.path, "sha256") == source.sha256
    except OSError as error:
        raise bad_file(source.path, f"cannot be read: {error.strerror or error}") from error
    if not same:
        raise DataError(
            f"{source.path} has changed since it was found (SHA-256 {source.sha256[:12]}…); put the"
            " file back that the study was created with"
        )
    return source.path


def _digest(path: Path, name: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, name).hexdigest()
