"""The data set of a study: find it, and load the splits that a search may see.

The test split is not here: :mod:`blood_hpo.data.held_out_test` has it, for the final stage alone.
"""

import logging
from pathlib import Path
from typing import Literal

from blood_hpo.data import archive
from blood_hpo.data.archive import Split
from blood_hpo.data.download import RemoteFile, fetch
from blood_hpo.data.facts import CLASSES, FILE_NAME, OFFICIAL_COUNTS, SplitName
from blood_hpo.data.medmnist_package import info
from blood_hpo.data.source import DataSource, open_source, unchanged
from blood_hpo.data.synthetic import write_synthetic
from blood_hpo.errors import DataError
from blood_hpo.settings import Settings

__all__ = ["CLASSES", "OFFICIAL_COUNTS", "DataSource", "Split"]  # and what is defined here

_log = logging.getLogger(__name__)


def find(
    path: Path | None = None,
    *,
    settings: Settings,
    download: bool = True,
    synthetic: bool = False,
    official: RemoteFile | None = None,
) -> DataSource:
    """Find and verify the data set: the path, BLOOD_HPO_DATA, the cache, the official download.

    A file that was named is never passed over, even when another data set is at hand.

    Args:
        path: A file asked for by name.
        settings: Of BLOOD_HPO_DATA and the cache.
        download: Whether to fetch the official file where no other is found.
        synthetic: Whether to draw a synthetic set where all else fails.
        official: Where the official file is; without it, what medmnist says.

    Raises:
        DataError: No data set can be had, or the one that was named cannot be used.
    """
    if path is not None:
        return open_source(path, "path")
    if settings.data is not None:
        try:
            return open_source(settings.data, "environment")
        except DataError as error:
            raise DataError(f"BLOOD_HPO_DATA: {error}") from error
    cached = settings.cache / FILE_NAME
    if cached.exists():
        source = open_source(cached, "cache")
        if not source.official:
            raise DataError(
                f"{cached} in the cache is not the official file (MD5 {source.md5}); run `blood-hpo"
                " data fetch` to replace it, or give a file of your own with --data PATH"
            )
        return source
    reason = "no download was tried"
    if download:
        try:
            return fetch_official(settings, official=official)
        except DataError as error:
            reason = str(error)
    if synthetic:
        _log.warning("no BloodMNIST (%s): a SYNTHETIC set takes its place", reason)
        drawn = settings.cache / "synthetic.npz"
        write_synthetic(drawn)
        return open_source(drawn, "synthetic")
    raise DataError(
        f"no data set: {reason}; give one with --data PATH, set BLOOD_HPO_DATA to its path, "
        "or run `blood-hpo data fetch`"
    )


def official_file() -> RemoteFile:
    """Address and MD5 of the official file, as the medmnist package gives them."""
    return RemoteFile(url=info()["url"], md5=info()["MD5"])


def fetch_official(
    settings: Settings, *, official: RemoteFile | None = None, answer_seconds: float = 8.0
) -> DataSource:
    """Download the official file into the cache, unless it is there: see `find` and `fetch`."""
    cached = settings.cache / FILE_NAME
    fetched = fetch(official or official_file(), cached, answer_seconds=answer_seconds)
    return open_source(cached, "download" if fetched else "cache")


def load_split(source: DataSource, name: Literal["train", "validation"]) -> Split:
    """Load a split, or raise a DataError where the file has changed; another is a ValueError."""
    if name not in {"train", "validation"}:
        raise ValueError(f"load_split gives 'train' and 'validation', not {name!r}")
    return archive.read_split(unchanged(source), name)


def class_counts(source: DataSource) -> dict[SplitName, tuple[int, ...]]:
    """Images of each class in each split; of the test split this count is all that is told."""
    return archive.class_counts(source.path)
