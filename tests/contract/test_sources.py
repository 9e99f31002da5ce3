"""What every file of the project owes its reader."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """The files that git keeps and that still exist."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files belong to the project cannot be told")
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    return [ROOT / name for name in names.split("\0") if (ROOT / name).is_file()]


def test_every_module_says_what_it_is(tracked: list[Path]) -> None:
    modules = [path for path in tracked if path.suffix == ".py"]
    silent = [
        str(path.relative_to(ROOT))
        for path in modules
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert modules
    assert silent == []


def test_no_file_names_a_machine_or_a_registry(tracked: list[Path]) -> None:
    private = re.compile(rb"/(?:root|work|Users|home/\w+)/|pythonhosted\.org|pypi\.org|npmjs\.org")
    assert [path.name for path in tracked if private.search(path.read_bytes())] == []


def test_every_written_make_target_exists() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    texts = [path.read_text(encoding="utf-8") for path in documents]
    asked = {name for text in texts for name in re.findall(r"(?m)(?:^|`)make (\w+)", text)}
    made = re.findall(r"(?m)^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert asked <= set(made)
