"""The whole stack on a real engine, from a copy of the project with secrets of its own.

Set ``BLOOD_HPO_COMPOSE_OVERLAY`` to a compose file that adapts the stack to an unusual engine, and
``BLOOD_HPO_RESTART_ENGINE`` to a command that restarts one that is yours alone: ``.ci/engine.py``.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from ...ports import free_port

ROOT = Path(__file__).parents[3]
NEEDED = ("blood_hpo", "docker", "studies", "docker-compose.yml", ".dockerignore")
FILES = ("docker-compose.yml", "docker/database.yml")
Completed = subprocess.CompletedProcess[str]


class Stack:
    """A compose project in a folder of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = dict(environment)

    def run(self, *command: str, check: bool = True, **environment: str) -> Completed:
        """Run a command in the stack's folder."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(f"{' '.join(command)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def compose(self, *arguments: str, check: bool = True, **environment: str) -> Completed:
        """Run docker compose."""
        command = ("docker", "compose", "--ansi", "never", "--progress", "quiet", *arguments)
        return self.run(*command, check=check, **environment)

    def queue(self, study: str, check: bool = True) -> Completed:
        """Put a study into the queue, as docs/scaling.md does."""
        words = ("run", "--rm", "--no-deps", "-T", "study")
        return self.compose(*words, check=check, STUDY_FILE=study)

    def sql(self, statement: str) -> list[tuple[str, ...]]:
        """Ask the database as its owner."""
        (database,) = self.containers("db")
        psql = ("psql", "-U", "blood_hpo_owner", "-d", "blood_hpo", "-Atc", statement)
        asked = self.run("docker", "exec", database, *psql)
        return [tuple(line.split("|")) for line in asked.stdout.splitlines()]

    def answers(self) -> bool:
        """Whether the database takes connections."""
        ready = ("pg_isready", "-U", "blood_hpo_owner", "-d", "blood_hpo")
        there = self.containers("db")
        return (
            bool(there) and not self.run("docker", "exec", there[0], *ready, check=False).returncode
        )

    def wait_for(self, condition: Callable[[], object], what: str, seconds: float = 400) -> None:
        """Wait for a condition, and fail if it does not come true in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"not within {seconds:g} s: {what}\n{self.logs()}")
            time.sleep(0.5)

    def logs(self) -> str:
        """The last words of every service."""
        return self.compose("logs", "--no-color", "--tail", "20", check=False).stdout

    def containers(self, service: str, *, running: bool = True) -> list[str]:
        """The IDs of a service's containers; compose itself takes five times as long to tell."""
        project = self.environment["COMPOSE_PROJECT_NAME"]
        labels = {"project": project, "service": service, "oneoff": "False"}
        filters = (f"--filter=label=com.docker.compose.{key}={labels[key]}" for key in labels)
        every = () if running else ("--all",)
        return self.run("docker", "ps", "--quiet", *every, *filters).stdout.split()

    def secrets(self) -> dict[str, str]:
        """What is in each file of ``make secrets``."""
        return {path.name: path.read_text().strip() for path in (self.folder / "secrets").iterdir()}

    def passwords(self) -> set[str]:
        """The passwords alone, also of those files that hold an address."""
        found = (text.rpartition("@")[0] or text for text in self.secrets().values())
        return {text.rpartition(":")[2] for text in found}


@pytest.fixture(scope="session")
def engine() -> None:
    """A container engine with compose; without one, every test here is skipped.

    Not where one was made for them: then it must be there.
    """
    missing = pytest.fail if "BLOOD_HPO_RESTART_ENGINE" in os.environ else pytest.skip
    if shutil.which("docker") is None:
        missing("no docker command")
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
        if asked.returncode:
            missing(f"{' '.join(command)}: {(asked.stderr or asked.stdout).strip()[:200]}")


@pytest.fixture(scope="session")
def project(
    engine: None,  # noqa: ARG001 - skips
    tmp_path_factory: pytest.TempPathFactory,
    synthetic_npz: Path,
) -> Path:
    """A copy of the project with secrets, two small studies and a small data set."""
    folder = tmp_path_factory.mktemp("stack")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy(ROOT / name, folder / name)
    for study in Path(__file__).parent.glob("*.toml"):
        shutil.copy(study, folder)
    shutil.copy(synthetic_npz, folder / "data.npz")
    (folder / "data.npz").chmod(0o644)
    subprocess.run([folder / "docker/secrets.sh"], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def stack(project: Path) -> Iterator[Stack]:
    """The stack, running, with one worker on the study ``smoke``."""
    overlay = os.environ.get("BLOOD_HPO_COMPOSE_OVERLAY")
    stack = Stack(
        project,
        {
            "COMPOSE_PROJECT_NAME": f"blood-hpo-test-{os.getpid()}",
            "COMPOSE_FILE": ":".join([*FILES, *([overlay] if overlay else [])]),
            "BLOOD_HPO_TAG": "test",
            "STUDY_FILE": "smoke.toml",
            "DATA_FILE": "./data.npz",
            "DATABASE_PORT": str(free_port()),
            "DASHBOARD_PORT": str(free_port()),
            "REPORT_PORT": str(free_port()),
            "BLOOD_HPO_HEARTBEAT_SECONDS": "2",
            "BLOOD_HPO_GRACE_SECONDS": "10",
        },
    )
    stack.compose("build")
    try:
        started = stack.compose("up", "--detach", "--scale", "worker=1", check=False)
        assert started.returncode == 0, started.stderr + stack.compose("logs").stdout
        yield stack
    finally:
        stack.compose("--profile", "*", "down", "--volumes", "--timeout", "5", check=False)
