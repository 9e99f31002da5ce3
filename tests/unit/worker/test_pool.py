"""Workers that do not go when they are asked."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from blood_hpo.worker.pool import Pool
from blood_hpo.worker.shutdown import INTERRUPTED

from ...waiting import until

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(1, flush=True)
time.sleep(600)
"""


def test_a_worker_that_ignores_the_request_is_killed_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pool = Pool([sys.executable, "-c", DEAF], {}, tmp_path)
    pool.start(1)
    while not (tmp_path / "worker-1.log").read_text():  # it has begun to be deaf
        assert pool.alive() == 1
        time.sleep(0.02)
    with caplog.at_level(logging.WARNING):
        pool.close(0.1)
    assert pool.alive() == 0
    assert "did not end within 0 s of being asked and are killed" in caplog.text


PATIENT = """
import os, signal
told = {signal.SIGTERM, signal.SIGRTMIN}
signal.pthread_sigmask(signal.SIG_BLOCK, told)
print(os.getpid(), flush=True)
while signal.sigwait(told) == signal.SIGTERM:  # which comes before the other
    print("asked", flush=True)
"""


def test_workers_that_drain_are_not_asked_again(tmp_path: Path) -> None:
    pool, log = Pool([sys.executable, "-c", PATIENT], {}, tmp_path), tmp_path / "worker-1.log"
    pool.start(1)
    until(lambda: log.read_text().endswith("\n"), "it listens")
    pool.drain()
    until(lambda: "asked" in log.read_text(), "it was asked")
    pool.drain()
    os.kill(int(log.read_text().split()[0]), signal.SIGRTMIN)
    assert pool.wait(20)
    assert log.read_text().split()[1:] == ["asked"]


HOT = """
import sys
import threading
from pathlib import Path
from blood_hpo.cli import logs
from blood_hpo.cli.supervision import heeding
from blood_hpo.cli.streams import guard
from blood_hpo.worker.pool import Pool

guard()
logs.configure()
pool = Pool(["sleep", "60"], {}, Path(sys.argv[1]))
with heeding(threading.Event(), pool):
    pool.start(2)
    print("ready", flush=True)
    while True:
        pool.alive()
"""


def test_two_interrupts_end_a_pool_whatever_its_owner_is_doing(tmp_path: Path) -> None:
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", HOT, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as owner:
            assert owner.stdout is not None
            assert owner.stderr is not None
            assert owner.stdout.readline() == "ready\n"
            owner.send_signal(signal.SIGINT)
            assert any("draining" in line for line in owner.stderr)
            owner.send_signal(signal.SIGINT)
            assert owner.wait(20) == 130


def test_an_interrupt_drains_also_when_the_terminal_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOT, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stderr is not None
        assert owner.stdout.readline() == b"ready\n"
        owner.stderr.close()
        owner.send_signal(signal.SIGINT)
        until(lambda: not psutil.Process(owner.pid).children(), "it sees at once that it is alone")
        owner.send_signal(signal.SIGINT)
        assert owner.wait(20) == 130


CLOSED = """
import signal, threading
from blood_hpo.worker.shutdown import heard

signal.signal(signal.SIGHUP, signal.{handler})
with heard(lambda: print("drain"), lambda: print("end")):
    (listener,) = (one for one in threading.enumerate() if one.name == "signals")
    for _ in range(2):  # from the terminal, and from its shell
        signal.raise_signal(signal.SIGHUP)
listener.join()
"""


@pytest.mark.parametrize(("handler", "acts"), [("SIG_DFL", "drain\n"), ("SIG_IGN", "")])
def test_a_closed_terminal_asks_once_and_under_nohup_never(handler: str, acts: str) -> None:
    program = [sys.executable, "-c", CLOSED.format(handler=handler)]
    done = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, acts)


def test_a_worker_that_somebody_has_drained_is_not_replaced(tmp_path: Path) -> None:
    pool = Pool(["sh", "-c", f"echo started; exit {INTERRUPTED}"], {}, tmp_path)
    pool.start(1)
    assert pool.wait(60)
    assert pool.alive() == 0
    assert pool.crashed() == []
    assert (tmp_path / "worker-1.log").read_text() == "started\n"


@pytest.mark.parametrize(("code", "starts"), [(7, 4), (2, 1), (3, 1), (5, 1)])
def test_a_crashed_worker_is_replaced_three_times_and_one_that_refuses_never(
    tmp_path: Path, code: int, starts: int
) -> None:
    pool = Pool(["sh", "-c", f"echo started; exit {code}"], {}, tmp_path)
    pool.start(1)
    for _ in range(starts + 1):
        assert pool.wait(60)
        pool.alive()
    assert pool.crashed() == [tmp_path / "worker-1.log"]
    assert (tmp_path / "worker-1.log").read_text() == "started\n" * starts
