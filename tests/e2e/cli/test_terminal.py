"""What is left behind when a terminal is closed, or Ctrl-C is pressed twice: nothing."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from blood_hpo.server import embedded

from ...ports import free_port
from ...waiting import until
from .conftest import STUDY, Program

DEADLINE = 120.0
LONG = STUDY.replace("epochs = 3", "epochs = 400").replace("patience = 3", "patience = 400")


@pytest.fixture
def alone(served: Program) -> Iterator[Program]:
    """The program in a folder whose embedded server nobody else uses."""
    one = replace(served, folder=Path(tempfile.mkdtemp(prefix="blood-hpo-cli-")))
    yield one
    embedded.stop(one.home)
    shutil.rmtree(one.folder)


def start(program: Program, *words: str) -> subprocess.Popen[str]:
    """Start it as in a terminal, which these tests may lack, and where SIGHUP is not ignored.

    It is a process of its own and no fork, which would outlive for a moment who is killed.
    """
    return subprocess.Popen(
        ["env", "--default-signal=HUP", sys.executable, "-m", "blood_hpo", *words],
        cwd=program.folder,
        env=program.environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_closed_terminal_drains_a_run_and_two_interrupts_end_it(alone: Program) -> None:
    command = ("run", alone.file(LONG), "--workers", "1", "--budget", "mlp=1", "--budget", "cnn=1")
    log = alone.home / "logs/tiny/worker-1.log"

    running = start(alone, *command)
    until(lambda: log.exists() and "epoch 2/" in log.read_text(), "it trains", DEADLINE)
    running.send_signal(signal.SIGHUP)
    _, said = running.communicate(timeout=DEADLINE)
    assert running.returncode == 130
    assert "drained; the same command goes on from here" in said
    assert "back in the queue" in log.read_text()
    assert not embedded.is_running(alone.home)

    running = start(alone, *command)
    until(lambda: "goes on from epoch" in log.read_text(), "it goes on", DEADLINE)
    running.send_signal(signal.SIGINT)
    assert running.stderr is not None
    assert any("draining" in line for line in running.stderr)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=DEADLINE)
    assert running.returncode == 130
    assert not embedded.is_running(alone.home)


def test_a_dashboard_ends_with_its_terminal(alone: Program) -> None:
    alone.run("study", "create", alone.file(STUDY))
    port = free_port()
    serving = start(alone, "dashboard", "--port", str(port))

    def answers() -> bool:
        with suppress(OSError):
            return bool(urlopen(f"http://127.0.0.1:{port}/api/studies", timeout=5).status == 200)
        return False

    until(answers, "it listens", DEADLINE)
    serving.send_signal(signal.SIGHUP)
    serving.communicate(timeout=DEADLINE)
    assert serving.returncode == 0
    assert not embedded.is_running(alone.home)
