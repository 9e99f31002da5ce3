"""The server restarts, crashes, is away, or ends connections: workers wait and go on."""

import contextlib
import threading
import time

import psycopg2
import pytest

from .conftest import Measure
from .lab import GRACE_SECONDS, Lab

MODES = pytest.mark.parametrize("mode", ["fast", "immediate"])


@MODES
def test_restart_in_mid_epoch(lab: Lab, measured: Measure, mode: str) -> None:
    lab.create(budget=4, epochs=8)
    for _ in range(4):
        lab.worker(epoch_seconds=0.3)
    lab.until_state("RUNNING", 4)
    lab.until_epoch(2, number=3)
    began = time.monotonic()
    lab.server.restart(mode)
    away = time.monotonic() - began
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=4)
    assert lab.states() == {"COMPLETE": 4}
    measured(f"away {away:.1f} s, 4 workers exit 0, 0 retries")


@MODES
@pytest.mark.parametrize(
    ("moment", "lock", "waiting"),
    [
        ("claim", "SELECT FROM studies WHERE study_id = STUDY FOR UPDATE", "FOR NO KEY UPDATE"),
        ("report", "LOCK trial_intermediate_values IN EXCLUSIVE MODE", "intermediate"),
        ("tell", "LOCK trial_values IN EXCLUSIVE MODE", "trial_values"),
    ],
)
def test_restart_inside_a_call(  # noqa: PLR0913, PLR0917 - fixtures and parameters
    lab: Lab, measured: Measure, mode: str, moment: str, lock: str, waiting: str
) -> None:
    study = lab.create(budget=2, epochs=2)
    with lab.server.holding(lab.database, lock.replace("STUDY", str(study.study_id))):
        worker = lab.worker()
        lab.server.wait_for_lock(lab.database, waiting)
        lab.server.restart(mode)
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=2)
    assert lab.states() == {"COMPLETE": 2}
    assert "database away while" in worker.text
    measured(f"told again after the restart, 0 retries ({moment})")


def test_absent_at_start(lab: Lab, measured: Measure) -> None:
    lab.create(budget=2)
    lab.server.stop()
    workers = [lab.worker() for _ in range(2)]
    for worker in workers:
        worker.says("database away while joining the database")
    lab.server.start()
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=2)
    assert all(worker.text.count("database back after") == 1 for worker in workers)
    measured(f"waited for, then {lab.states()['COMPLETE']} of 2 counted")


def test_away_for_many_grace_times(lab: Lab, measured: Measure) -> None:
    lab.create(budget=3, epochs=8)
    workers = [lab.worker(epoch_seconds=0.3) for _ in range(2)]
    lab.until_state("RUNNING", 2)
    lab.until_epoch(2, number=1)
    lab.server.stop()
    began = time.monotonic()
    for worker in workers:
        worker.says("epoch 8/8")  # training goes on
        worker.says("database away for 30 s")
    lab.server.start()
    away = time.monotonic() - began
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=3)
    assert lab.states() == {"COMPLETE": 3}
    assert away > 5 * GRACE_SECONDS
    lines = [line for line in workers[0].text.splitlines() if "database away" in line]
    assert len(lines) <= 1 + away / 30
    measured(f"away {away:.0f} s = {away / GRACE_SECONDS:.0f} grace times, said {len(lines)} times")


def test_a_read_only_window_in_mid_epoch(lab: Lab, measured: Measure) -> None:
    lab.create(budget=4, epochs=8)
    workers = [lab.worker(epoch_seconds=0.3) for _ in range(3)]
    lab.until_state("RUNNING", 3)
    lab.until_epoch(2, number=2)
    try:
        for value in ("on", "off"):
            lab.server.rows("postgres", f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            lab.server.rows("postgres", "SELECT pg_reload_conf()")
            for worker in workers:
                worker.says("read-only transaction" if value == "on" else "database back after")
    finally:
        lab.server.rows("postgres", "ALTER SYSTEM RESET default_transaction_read_only")
        lab.server.rows("postgres", "SELECT pg_reload_conf()")
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=4)
    assert lab.states() == {"COMPLETE": 4}
    measured("3 workers exit 0, 0 retries")


def test_connections_killed_in_a_loop(lab: Lab, measured: Measure) -> None:
    lab.create(budget=12, epochs=40)
    finished = threading.Event()
    killed = 0
    for _ in range(3):
        lab.worker(epoch_seconds=0.05).says("trial")  # it has joined, which takes many connections

    def kill() -> None:
        nonlocal killed
        while not finished.wait(0.5):
            killed += lab.server.terminate(lab.database)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        lab.until_finished(120)
    finally:
        finished.set()
        killer.join()
    lab.assert_nothing_lost_or_repeated(budget=12)
    assert lab.states() == {"COMPLETE": 12}
    assert killed > 0
    measured(f"{killed} connections ended, 12 of 12 counted, 0 retries")


def test_connection_limit_reached(lab: Lab, measured: Measure) -> None:
    lab.create(budget=8, epochs=3)
    role = lab.study.replace("-", "_")
    lab.server.rows(
        "postgres", f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 3 IN ROLE blood_hpo_worker"
    )
    place = {"host": str(lab.server.cluster.socket_folder), "dbname": lab.database}
    with contextlib.ExitStack() as taken:
        for _ in range(3):
            taken.enter_context(contextlib.closing(psycopg2.connect(user=role, **place)))
        workers = [lab.worker(url=lab.server.url(lab.database, user=role)) for _ in range(6)]
        for worker in workers:
            worker.says("too many connections for role")
    lab.until_finished(120)
    lab.assert_nothing_lost_or_repeated(budget=8)
    assert lab.states() == {"COMPLETE": 8}
    refused = sum(worker.text.count("too many connections for role") for worker in workers)
    measured(f"6 workers share 3 connections: {refused} refusals waited out, 8 of 8 counted")
