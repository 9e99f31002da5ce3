"""The program as its users start it: a process of its own, in a folder of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

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

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BLOOD_HPO", "DATABASE"))}
        return {**kept, "BLOOD_HPO_DATA": str(self.data), "BLOOD_HPO_CACHE": str(self.folder)}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "blood_hpo", *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=900)
        assert process.returncode == code, f"exit code {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def file(self, text: str, name: str = "tiny.toml") -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory, synthetic_npz: Path) -> Program:
    """A folder in which the study ``tiny`` has been run by two workers."""
    one = Program(tmp_path_factory.mktemp("program"), synthetic_npz)
    one.run("run", one.file(STUDY), "--workers", "2")
    return one


@pytest.fixture(scope="session")
def tiny_file(program: Program) -> str:
    return str(program.folder / "tiny.toml")
