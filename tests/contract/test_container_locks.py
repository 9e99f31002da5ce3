"""The images install what was locked: workers and dashboard less of it, the GPU's worker more."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN_TIME = ROOT / "requirements.txt"
DASHBOARD = ROOT / "docker/requirements-dashboard.txt"
GPU = ROOT / "docker/requirements-gpu.txt"
WORKER = ROOT / "docker/requirements-worker.txt"
UNUSED = re.findall(r"^UNUSED := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split()


def entries(lock: Path) -> set[str]:
    """One string an entry: name, version, marker and hashes."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    return {line for line in text.splitlines() if not line.startswith("#")}


def names(lock: Path) -> set[str]:
    """The packages of a lock."""
    return {entry.partition("==")[0] for entry in entries(lock)}


def version(lock: Path, package: str) -> str:
    """The version of a package in a lock."""
    (found,) = (one for one in entries(lock) if one.startswith(f"{package}=="))
    return found.split()[0].partition("==")[2]


def test_the_dashboard_has_a_part_of_what_a_worker_has() -> None:
    assert entries(DASHBOARD) < entries(RUN_TIME)
    asked = set(DASHBOARD.with_name("dashboard.in").read_text().splitlines()[1:])
    assert asked <= names(DASHBOARD)
    assert names(DASHBOARD) & {"tensorflow", "keras", "scikit-learn", "scipy"} == set()


def test_workers_have_all_but_what_they_never_import_and_a_smaller_tensorflow() -> None:
    left_out = names(RUN_TIME) - names(WORKER)
    assert left_out == {*UNUSED, "tensorflow"}
    assert names(WORKER) - names(RUN_TIME) == {"tensorflow-cpu"}
    same = {one for one in entries(RUN_TIME) if one.partition("==")[0] not in left_out}
    assert same < entries(WORKER)
    assert version(WORKER, "tensorflow-cpu") == version(RUN_TIME, "tensorflow")


def test_the_gpu_adds_cuda_alone() -> None:
    assert names(RUN_TIME) - names(GPU) == set(UNUSED)
    added = names(GPU) - names(RUN_TIME)
    assert added
    assert {name for name in added if not name.startswith("nvidia-")} == set()
    assert version(GPU, "tensorflow") == version(RUN_TIME, "tensorflow")
