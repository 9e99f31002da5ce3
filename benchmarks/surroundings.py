"""What benchmarks share: the machine in words, the data set, and a server of their own."""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from blood_hpo.data.bloodmnist import DataSource, find
from blood_hpo.database.address import embedded_url
from blood_hpo.database.migrate import migrate
from blood_hpo.errors import BloodHpoError
from blood_hpo.server import embedded
from blood_hpo.settings import Settings, settings
from blood_hpo.worker.machine import processor


def machine() -> str:
    """Date, processor, cores, and how much else the machine does."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {processor()}, {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f}"
    )


def options(about: str) -> argparse.ArgumentParser:
    """The command line of a script that trains, by its docstring; it adds its own options."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--data", type=Path, help="npz file; without it, BLOOD_HPO_DATA")
    return parser


def data_set(given: Path | None) -> DataSource:
    """The file of `--data`, or of BLOOD_HPO_DATA, or in the cache; else the end, in one line."""
    try:
        return find(given, settings=settings(), download=False)
    except BloodHpoError as error:
        raise SystemExit(str(error)) from error


@contextmanager
def home() -> Iterator[tuple[Path, str]]:
    """A folder with an embedded server, and its migrated database; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="blood-hpo-benchmark-"))
    try:
        url = embedded_url(Settings(home=folder))
        migrate(url)
        yield folder, url
    finally:
        embedded.release(folder)
        shutil.rmtree(folder)
