"""Help is light, complete and printed in docs/cli.md; every command written anywhere exists."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from blood_hpo.cli.main import app

ROOT = Path(__file__).parents[2]
TEXTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("studies/*.toml")]
CALL = re.compile(
    r"(?:^[ #$]*(?:\w+=\S+ )*|Example: |Command: |`)(?:\.venv/bin/)?blood-hpo "
    r"(?!.*\[OPTIONS\])([^`\n]+)",
    re.MULTILINE,
)

LOADED_BY_EVERY_HELP = """
import json, sys
from typer.testing import CliRunner
from blood_hpo.cli.main import app
pages = [CliRunner().invoke(app, [*path, "--help"]) for path in json.loads(sys.argv[1])]
print(json.dumps({"codes": [page.exit_code for page in pages], "modules": sorted(sys.modules)}))
"""


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command and group, as typed after the program's name."""
    command = command or typer.main.get_command(app)
    yield " ".join(path), command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


def written() -> Iterator[tuple[str, str]]:
    """Every call of the program in the documents and the studies, with its file."""
    for path in TEXTS:
        for call in CALL.findall(unescape(path.read_text(encoding="utf-8"))):
            yield path.name, re.split(r" [|&>#] ?|  |;", call)[0]


def test_help_loads_nothing_heavy() -> None:
    paths = json.dumps([name.split() for name, _ in commands()])
    loaded = json.loads(
        subprocess.check_output([sys.executable, "-c", LOADED_BY_EVERY_HELP, paths])
    )
    assert set(loaded["codes"]) == {0}
    heavy = {"tensorflow", "keras", "optuna", "sqlalchemy", "sklearn", "pandas", "medmnist"}
    assert heavy & set(loaded["modules"]) == set()


@pytest.mark.parametrize(
    ("name", "command"), [pytest.param(*each, id=each[0]) for each in commands()]
)
def test_every_command_and_option_has_help(name: str, command: Any) -> None:
    assert command.help, name
    assert [option.name for option in command.params if not getattr(option, "help", None)] == []


def test_the_reference_is_what_the_commands_say() -> None:
    make = [sys.executable, "-m", "typer", "blood_hpo.cli.main", "utils", "docs"]
    said = subprocess.check_output([*make, "--name", "blood-hpo"], text=True, cwd=ROOT)
    stored = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    assert stored.strip() == said.strip(), "docs/cli.md is out of date: run make docs"


def test_every_written_command_exists() -> None:
    codes = {
        (place, call): CliRunner().invoke(app, [*shlex.split(call), "--help"]).exit_code
        for place, call in written()
    }
    assert codes
    assert [where for where, code in codes.items() if code != 0] == []
