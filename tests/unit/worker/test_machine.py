"""What a worker says that it runs."""

import platform
import re
import subprocess
from pathlib import Path

from blood_hpo.version import __version__
from blood_hpo.worker.machine import processor, program


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def test_a_checkout_is_named_by_its_commit(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")
    clean = program(tmp_path)
    assert len(clean) == 12
    (tmp_path / "file").write_text("two")
    assert program(tmp_path) == f"{clean}-dirty"


def test_an_installed_program_is_named_by_its_version(tmp_path: Path) -> None:
    assert program(tmp_path) == __version__


def test_the_processor_is_told_from_others_of_its_name() -> None:
    assert re.fullmatch(r".+, family \d+ model \d+", processor()) or platform.machine() != "x86_64"
