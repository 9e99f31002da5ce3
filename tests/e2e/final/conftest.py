"""Studies taken to their tested models by real workers on an embedded server of their own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from blood_hpo.database.address import embedded_url, engine
from blood_hpo.server import embedded
from blood_hpo.settings import Settings

from ...forks import Forks

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
    forks: Forks

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BLOOD_HPO", "DATABASE"))}
        own = {
            "HOME": str(self.folder / "home"),
            "DATA": str(self.data),
            "HEARTBEAT_SECONDS": "0.2",
            "GRACE_SECONDS": "1.5",
            "CHECKPOINT_SECONDS": "0",
        }
        return {**kept, **{f"BLOOD_HPO_{name}": value for name, value in own.items()}}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return self.forks.start(words, self.folder, self.environment)

    def run(self, *words: str) -> tuple[str, str]:
        code, out, err = self.answer(*words)
        assert code == 0, f"exit code {code}\n{out}\n{err}"
        return out, err

    def answer(self, *words: str) -> tuple[int, str, str]:
        done = self.forks.run(words, self.folder, self.environment)
        return done.returncode, done.stdout, done.stderr

    def create(self, name: str, text: str = STUDY) -> None:
        path = self.folder / f"{name}.toml"
        path.write_text(text.replace("NAME", name), encoding="utf-8")
        self.run("study", "create", str(path))

    def rows(self, statement: str, **values: object) -> list[dict[str, Any]]:
        with self.database.connect() as connection:
            found = connection.execute(text(statement), values).mappings()
            return [dict(row) for row in found]


@pytest.fixture(scope="session")
def house(synthetic_npz: Path, forks: Forks) -> Iterator[House]:
    # Not in pytest's own folder, which every other run of pytest closes to the server's account.
    folder = Path(tempfile.mkdtemp(prefix="blood-hpo-final-"))
    database = engine(embedded_url(Settings(home=folder / "home")))
    yield House(folder, synthetic_npz, database, forks)
    database.dispose()
    embedded.release(folder / "home")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def finished(house: House) -> House:
    """The study ``whole``, taken to its end by one worker."""
    house.create("whole")
    house.run("worker", "whole")
    return house


@pytest.fixture(scope="session")
def report(finished: House) -> Path:
    """The folder of its report. Read it, never write."""
    finished.run("report", "whole", "--out", "one")
    return finished.folder / "one"
