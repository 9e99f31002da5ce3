"""What every test may ask for: data sets, and the program in processes of its own."""

import gc
import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

from blood_hpo.data.synthetic import write_synthetic

from .forks import Forks

# What runs the tests may describe its own terminal; programs that are tested ask their own.
for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR"):
    os.environ.pop(name, None)

# A busy machine may take its time over one example; a wrong answer is what these tests look for.
# Every run tries the same examples: a failure is seen again, and the count is a fact.
hypothesis.settings.register_profile("unhurried", deadline=None, derandomize=True)
hypothesis.settings.load_profile("unhurried")


LONG = {"test_embedded", "test_layers", "test_optuna_suites", "test_promises"}
"""Files that take longest."""


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real BloodMNIST at 28x28; tests that ask for it are skipped where there is none."""
    named = os.environ.get("BLOOD_HPO_DATA")
    if not named:
        pytest.skip("BLOOD_HPO_DATA names no data set")
    return Path(named)


@pytest.fixture(scope="session")
def synthetic_npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic set of 240 training, 64 validation and 64 test images. Read it, never write."""
    path = tmp_path_factory.mktemp("data") / "synthetic.npz"
    write_synthetic(path, sizes={"train": 240, "validation": 64, "test": 64}, seed=1)
    return path


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    with Forks() as one:
        yield one


@pytest.fixture(scope="session")
def light_forks() -> Iterator[Forks]:
    """What has imported only what every command does."""
    with Forks("blood_hpo.cli.main", "blood_hpo.cli.session", "psycopg2", "sqlalchemy") as one:
        yield one


def pytest_runtest_teardown(item: pytest.Item) -> None:
    told = re.search(r"(\d+) passing", getattr(item, "hypothesis_statistics", ""))
    if told:
        item.user_properties.append(("cases", int(told[1])))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many generated cases were tried, and in how many tests."""
    ended = [dict(one.user_properties) for one in terminalreporter.getreports("")]
    tried = [one["cases"] for one in ended if "cases" in one]
    if tried:
        terminalreporter.write_line(f"{sum(tried):,} generated cases in {len(tried)} tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported is garbage neither then nor later, when each trial collects its own."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """A file stays in one process, and so does a folder of e2e, which trains its study once."""
    return _ByFolder(config, log)


class _ByFolder(LoadFileScheduling):  # type: ignore[misc] # xdist is untyped
    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        folder = file.rpartition("/")[0]
        return folder if "/e2e" in folder else file
