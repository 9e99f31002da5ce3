"""The lock is complete, pinned by hash, free of torch, and does not say where packages are."""

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
RUN_TIME = ROOT / "requirements.txt"
DEVELOPMENT = ROOT / "requirements-dev.txt"
LOCKS = pytest.mark.parametrize("lock", [RUN_TIME, DEVELOPMENT], ids=lambda path: path.name)
CONTAINERS = sorted(ROOT.glob("docker/requirements-*.txt"))
EVERY_LOCK = pytest.mark.parametrize(
    "lock", [RUN_TIME, DEVELOPMENT, *CONTAINERS], ids=lambda path: path.name
)


def entries(lock: Path) -> list[str]:
    """One string an entry: the requirement, then its hashes."""
    lines = lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return [line for line in lines if not line.startswith("#")]


def here(requirements: list[str]) -> dict[str, SpecifierSet]:
    """What is asked for on this platform: the versions allowed by normalised name."""
    found = [Requirement(text) for text in requirements]
    applies = [need for need in found if not need.marker or need.marker.evaluate({"extra": ""})]
    return {canonicalize_name(need.name): need.specifier for need in applies}


def pins(lock: Path) -> dict[str, str]:
    """The version that the lock installs on this platform by normalised name."""
    pinned = here([entry.partition(" --hash")[0] for entry in entries(lock)])
    return {name: str(version).removeprefix("==") for name, version in pinned.items()}


def unmet(requirements: list[str], locked: dict[str, str]) -> set[str]:
    """The names of the requirements that the locked versions do not meet."""
    return {
        name
        for name, allowed in here(requirements).items()
        if name not in locked or locked[name] not in allowed
    }


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["project"]
    return found


@EVERY_LOCK
def test_every_entry_is_one_version_with_hashes(lock: Path) -> None:
    entry = re.compile(r"[\w.-]+==[\w.]+( ; [^-]+)?( +--hash=sha256:[0-9a-f]{64})+")
    assert [line for line in entries(lock) if not entry.fullmatch(line)] == []


@LOCKS
def test_no_place_is_named(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert re.findall(r"\w+://|^-.*|.*index.*|.*find-links.*", text, re.MULTILINE) == []


@LOCKS
def test_torch_and_its_company_are_left_out(lock: Path) -> None:
    assert [name for name in pins(lock) if re.match("torch|triton|nvidia|cuda", name)] == []


def test_the_run_time_lock_holds_what_the_project_asks_for(project: dict[str, Any]) -> None:
    assert unmet(project["dependencies"], pins(RUN_TIME)) == set()


def test_the_development_lock_adds_its_tools_and_changes_nothing(project: dict[str, Any]) -> None:
    assert set(entries(RUN_TIME)) < set(entries(DEVELOPMENT))
    assert unmet(project["optional-dependencies"]["dev"], pins(DEVELOPMENT)) == set()


def test_all_that_the_locked_packages_ask_for_is_locked_but_torch() -> None:
    locked = pins(DEVELOPMENT)
    missing = {name: unmet(requires(name) or [], locked) for name in locked}
    assert {name: lacks for name, lacks in missing.items() if lacks} == {
        "medmnist": {"torch", "torchvision"}
    }
