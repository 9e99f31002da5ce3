"""docs/add-a-family.md, followed to the letter on a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/add-a-family.md").read_text(encoding="utf-8")
FILE = re.compile(r"^Create `(\S+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
CHANGED = re.compile(
    r"^[^`\n]*`(\S+)`[^`\n]*:\n\n((?:```diff\n.*?^```\n\n?)+)", re.MULTILINE | re.DOTALL
)


def blocks(language: str, text: str = PAGE) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def apply(diff: str, file: Path) -> None:
    """Replace the old lines of a diff, which must stand in the file exactly once, by the new."""
    lines = diff.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] != "+")
    new = "".join(line[1:] for line in lines if line[0] != "-")
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file.name} has changed: {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the page's files created and its changes made."""
    folder = tmp_path_factory.mktemp("repository")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in ("blood_hpo", "docs", "studies", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in FILE.findall(PAGE):
        (folder / name).write_text(text, encoding="utf-8")
    for name, diffs in CHANGED.findall(PAGE):
        for diff in blocks("diff", diffs):
            apply(diff, folder / name)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, synthetic_npz: Path) -> dict[str, str]:
    """The settings of a run of its own, on few synthetic images."""
    home = tmp_path_factory.mktemp("home")
    settings = {"BLOOD_HPO_HOME": str(home), "BLOOD_HPO_DATA": str(synthetic_npz)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    return {**kept, **settings}


def python(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """What the interpreter prints in a folder, which comes first on its path."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_block_of_the_page_is_used() -> None:
    created = [name for name, _ in FILE.findall(PAGE)]
    changed = [name for name, diffs in CHANGED.findall(PAGE) for _ in blocks("diff", diffs)]
    assert created == ["blood_hpo/models/separable.py", "studies/separable.toml"]
    assert changed == ["blood_hpo/models/registry.py"] * 2


def test_the_network_is_what_the_page_says(repository: Path, environment: dict[str, str]) -> None:
    look = blocks("python")[1]
    assert "separable_conv2d" in python(repository, environment, "-c", look)


def test_the_family_is_searched_end_to_end(repository: Path, environment: dict[str, str]) -> None:
    calls = [line.split() for line in blocks("sh")[0].splitlines()]
    printed = [python(repository, environment, "-m", "blood_hpo", *call[1:]) for call in calls]
    assert "separable: best of the search on SYNTHETIC" in printed[0]
    assert "width" in printed[1]
    query = (
        "-m",
        "blood_hpo",
        "db",
        "psql",
        "--csv",
        "--tuples-only",
        "--command",
        blocks("sql")[0],
    )
    rows = [line.split(",") for line in python(repository, environment, *query).splitlines()]
    assert sum(int(trials) for _, trials, _ in rows) >= 1
    assert {width for width, _, _ in rows} <= {"16", "32", "64"}


def test_the_repository_stays_clean_and_complete(
    repository: Path, environment: dict[str, str]
) -> None:
    python(repository, environment, "-m", "ruff", "check", "--no-cache", "blood_hpo")
    python(repository, environment, "-m", "ruff", "format", "--no-cache", "--check", "blood_hpo")
    page = python(repository, environment, "docs/study_file_reference.py")
    assert "## Hyperparameters of `separable`" in page
    (repository / "docs/study-file-reference.md").write_text(page, encoding="utf-8")
    python(repository, environment, "-m", "pytest", "-q", "tests/unit/studyfile", "-k", "not fuzz")
