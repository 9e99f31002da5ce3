"""One server for all faults, a study and a folder for each, and a table of what was measured."""

import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blood_hpo.database.migrate import migrate

from .lab import GRACE_SECONDS, HEARTBEAT_SECONDS, Lab
from .server import Server

Measure = Callable[[str], None]
STUDIES = itertools.count()
FIGURES: list[tuple[str, str]] = []

os.environ["OPENBLAS_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.close()


@pytest.fixture(scope="session")
def database(server: Server) -> str:
    """Name of a database with the schema; each test has a study of its own in it."""
    name = server.create()
    migrate(server.url(name))
    return name


@pytest.fixture
def lab(server: Server, database: str, tmp_path: Path) -> Iterator[Lab]:
    settings = {
        "home": str(tmp_path),
        "heartbeat_seconds": HEARTBEAT_SECONDS,
        "grace_seconds": GRACE_SECONDS,
        "drain_seconds": 3.0,
    }
    one = Lab(server, database, f"study-{next(STUDIES)}", tmp_path, settings)
    yield one
    one.clean_up()
    if not server.cluster.is_running():
        server.start()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measure:
    """Called with what was found, it becomes a line of the table at the end."""
    started = time.monotonic()

    def measure(figure: str) -> None:
        name = request.node.name.removeprefix("test_").replace("_", " ")
        FIGURES.append((name, f"{figure} (test {time.monotonic() - started:.1f} s)"))

    return measure


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("measured")
        for name, figure in FIGURES:
            terminalreporter.write_line(f"{name}: {figure}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("faults")
