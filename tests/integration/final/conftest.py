"""Studies taken to their tested models by real workers on an embedded server of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.address import embedded_url, engine
from blood_hpo.server import embedded
from blood_hpo.settings import Settings
from blood_hpo.store.new_study import create_study
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy
from blood_hpo.studyfile.schema import StudySpec

STUDY = """
name = "NAME"
seed = 5
[training]
folds = 2
epochs = 2
patience = 2
start_epoch = 0
[pruner]
name = "none"
[families.mlp]
budget = 2
[families.mlp.space]
units = [8, 12]
[final]
confirm_top = 2
confirm_splits = 2
seeds = 1
epochs = 60
patience = 60
start_epoch = 0
resnet = "none"
"""


@dataclass(frozen=True)
class House:
    """Runs ``blood-hpo`` on one embedded server, and asks its database."""

    folder: Path
    data: Path
    database: Engine

    def start(self, *words: str) -> subprocess.Popen[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BLOOD_HPO", "DATABASE"))}
        own = {
            "HOME": str(self.folder / "home"),
            "DATA": str(self.data),
            "HEARTBEAT_SECONDS": "0.2",
            "GRACE_SECONDS": "1.5",
            "CHECKPOINT_SECONDS": "0",
        }
        return subprocess.Popen(
            [sys.executable, "-m", "blood_hpo", *words],
            cwd=self.folder,
            env={**kept, **{f"BLOOD_HPO_{name}": value for name, value in own.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> tuple[str, str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=280)
        assert process.returncode == 0, f"exit code {process.returncode}\n{out}\n{err}"
        return out, err

    def create(self, name: str) -> None:
        path = self.folder / f"{name}.toml"
        path.write_text(STUDY.replace("NAME", name), encoding="utf-8")
        self.run("study", "create", str(path))

    def rows(self, statement: str, **values: object) -> list[dict[str, Any]]:
        with self.database.connect() as connection:
            found = connection.execute(text(statement), values).mappings()
            return [dict(row) for row in found]


def search(url: str) -> SharedStudy:
    """A study of one family without any trial."""
    document = {"name": "own", "families": {"mlp": {"budget": 2, "space": {"units": [8, 16]}}}}
    source = DataSource(Path("s.npz"), "path", "a" * 64, "b" * 32, official=False, synthetic=True)
    return create_study(StudyStorage(url, "test"), StudySpec.parse(document, "test"), source)


@pytest.fixture(scope="session")
def house(synthetic_npz: Path) -> Iterator[House]:
    # Not in pytest's own folder, which every other run of pytest closes to the server's account.
    folder = Path(tempfile.mkdtemp(prefix="blood-hpo-final-"))
    database = engine(embedded_url(Settings(home=folder / "home")))
    yield House(folder, synthetic_npz, database)
    database.dispose()
    embedded.release(folder / "home")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def finished(house: House) -> House:
    """The study ``whole``, taken to its end by one worker."""
    house.create("whole")
    house.run("worker", "whole")
    return house


def until(condition: Callable[[], bool], seconds: float = 200.0) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not come true in time"
        time.sleep(0.05)
