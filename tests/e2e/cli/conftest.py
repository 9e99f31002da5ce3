"""The program as its users run it: each command a process of its own, in one folder."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from blood_hpo.server import embedded

from ...forks import Completed, Forks

STUDY = """
name = "tiny"
seed = 11
[training]
folds = 3
epochs = 3
patience = 3
start_epoch = 1
[pruner]
name = "none"
[space]
batch_size = [32, 64]
[families.mlp]
budget = 3
[families.mlp.space]
units = [8, 16]
[families.cnn]
budget = 3
[families.cnn.space]
filters = [2, 4]
"""


@dataclass(frozen=True)
class Program:
    """Runs ``blood-hpo`` in one folder, whose embedded server all its commands share."""

    folder: Path
    data: Path
    forks: Forks

    @property
    def home(self) -> Path:
        return self.folder / ".blood_hpo"

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BLOOD_HPO", "DATABASE"))}
        return {**kept, "BLOOD_HPO_DATA": str(self.data), "BLOOD_HPO_CACHE": str(self.folder)}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return self.forks.start(words, self.folder, self.environment)

    def run(self, *words: str, code: int = 0, **environment: str) -> Completed:
        done = self.forks.run(words, self.folder, self.environment | environment)
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def file(self, text: str, name: str = "tiny.toml") -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


@pytest.fixture(scope="session")
def served(synthetic_npz: Path, forks: Forks) -> Iterator[Program]:
    """A folder whose embedded server stays."""
    # Not in pytest's own folder, which every other run of pytest closes to the server's account.
    one = Program(Path(tempfile.mkdtemp(prefix="blood-hpo-cli-")), synthetic_npz, forks)
    embedded.ensure_running(one.home)
    yield one
    embedded.release(one.home)
    shutil.rmtree(one.folder)


@pytest.fixture(scope="session")
def tiny_file(served: Program) -> str:
    return served.file(STUDY)


@pytest.fixture(scope="session")
def quiet_run(served: Program, tiny_file: str) -> Completed:
    """The run of ``tiny``."""
    return served.run("--quiet", "run", tiny_file, "--workers", "2", "--top", "1")


@pytest.fixture(scope="session")
def program(served: Program, quiet_run: Completed) -> Program:
    """A folder in which the study ``tiny`` has been run by two workers."""
    assert quiet_run.returncode == 0
    return served
