"""A study from its file to its tested model, and a dashboard whose database role may only read."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest
from sqlalchemy import create_engine, make_url, text

from blood_hpo.database.address import embedded_url
from blood_hpo.server import embedded
from blood_hpo.settings import Settings

from ...ports import free_port
from .chromium import Chromium

STUDY = """
name = "seen"
description = "a search that somebody looks at"
seed = 5
[training]
folds = 3
epochs = 4
patience = 4
start_epoch = 1
[pruner]
name = "none"
[final]
confirm_top = 1
confirm_splits = 1
epochs = 3
patience = 3
start_epoch = 1
seeds = 1
resnet = "none"
[families.mlp]
budget = 12
[families.mlp.space]
units = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
"""
DEADLINE_SECONDS = 120.0


@dataclass
class House:
    """A folder with a database, in which commands are run and pages are served."""

    folder: Path
    data: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return Settings(home=self.folder / "home")

    def run(self, *words: str) -> None:
        command = [sys.executable, "-m", "blood_hpo", *words]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment(), check=False, timeout=1500
        )
        assert done.returncode == 0, f"exit code {done.returncode}"

    def address(self, role: str) -> str:
        """The database as a role that may log in without a password."""
        return make_url(embedded_url(self.settings)).set(username=role).render_as_string()

    def serve(self, *command: str, port: int, **environment: str) -> str:
        """Start something that serves pages; its address."""
        process = subprocess.Popen(
            [sys.executable, *command], cwd=self.folder, env=self._environment() | environment
        )
        self.processes.append(process)
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                with urlopen(f"{address}/api/studies", timeout=30):
                    return address
            except OSError:  # refused, or too busy to answer
                assert process.poll() is None, "the server has ended"
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.1)

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BLOOD_HPO", "DATABASE"))}
        own = {"BLOOD_HPO_HOME": str(self.settings.home), "BLOOD_HPO_DATA": str(self.data)}
        return {**kept, **own}


@pytest.fixture(scope="session")
def house(synthetic_npz: Path) -> Iterator[House]:
    """The study ``seen``, finished."""
    # Not in pytest's own folder, which every other run of pytest closes to the server's account.
    one = House(Path(tempfile.mkdtemp(prefix="blood-hpo-browser-")), synthetic_npz)
    path = one.folder / "seen.toml"
    path.write_text(STUDY, encoding="utf-8")
    one.run("run", str(path), "--workers", "1")
    engine = create_engine(embedded_url(one.settings))
    with engine.begin() as connection:
        connection.execute(text("ALTER ROLE blood_hpo_dashboard LOGIN"))
    engine.dispose()
    yield one
    for process in one.processes:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    embedded.release(one.settings.home)
    shutil.rmtree(one.folder)


@pytest.fixture(scope="session")
def dashboard(house: House) -> str:
    """Address of ``blood-hpo dashboard``, as it is deployed: its role may only select."""
    port = free_port()
    url = house.address("blood_hpo_dashboard")
    words = ("-m", "blood_hpo", "dashboard", "--port", str(port))
    return house.serve(*words, port=port, DATABASE_URL=url)


@pytest.fixture(scope="session")
def unguarded(house: House) -> str:
    """Address of optuna-dashboard itself in the same role: nothing but the role refuses."""
    port = free_port()
    script = (
        "import optuna_dashboard, os;"
        f"optuna_dashboard.run_server(os.environ['DATABASE_URL'], port={port})"
    )
    url = house.address("blood_hpo_dashboard")
    return house.serve("-c", script, port=port, DATABASE_URL=url)


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser; the tests that need one are skipped where there is none."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if program is None:
        pytest.skip("there is no chromium on this machine")
    with Chromium(program, tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a screenshot goes: to a folder that the environment names, or away."""
    named = os.environ.get("BLOOD_HPO_SCREENSHOTS")
    folder = Path(named) if named else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{request.node.name}.png"
