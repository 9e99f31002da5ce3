"""A clock that is wrong, and a study that goes on from a backup on another server."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from blood_hpo.server.programs import program
from blood_hpo.settings import Settings
from blood_hpo.store.storage import StudyStorage
from blood_hpo.worker.janitor import Audit

from ..waiting import until
from .conftest import Measure
from .lab import GRACE_SECONDS, Lab
from .server import Server

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="module")
def skewed_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that puts the clock of a process off."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler to build the wrong clock with")
    library = tmp_path_factory.mktemp("clock") / "skewed_clock.so"
    source = str(HERE / "skewed_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_off(lab: Lab, measured: Measure, skewed_clock: Path, minutes: int) -> None:
    lab.create(budget=3, epochs=10)
    command = [sys.executable, "-m", "tests.faults.fixed_cost", lab.url, lab.study]
    log = lab.folder / "skewed.log"
    skewed = subprocess.Popen(
        [*command, json.dumps(lab.settings), str(log)],
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": str(skewed_clock), "SKEW_SECONDS": str(minutes * 60)},
    )
    lab.until_epoch(1)
    started = lab.trials()[0]["started_at"].timestamp()
    assert abs(started - time.time()) < 60
    lab.worker(epoch_seconds=GRACE_SECONDS / 4)
    lab.until_finished()
    assert skewed.wait(60) == 0
    lab.assert_nothing_lost_or_repeated(budget=3)
    assert lab.states() == {"COMPLETE": 3}
    believed = datetime.fromisoformat(log.read_text(encoding="utf-8")[:19]).timestamp()
    assert abs(believed - log.stat().st_mtime - minutes * 60) < 120
    measured(f"{minutes:+d} minutes: 0 retries, times are the server's")


def test_a_backup_taken_in_mid_run_goes_on_elsewhere(lab: Lab, measured: Measure) -> None:
    lab.create(budget=6, epochs=8)
    for _ in range(2):
        lab.worker(epoch_seconds=0.2)
    lab.until_state("COMPLETE")
    lab.until_state("RUNNING", 2)
    dumped = dump(lab)
    elsewhere = Server()
    try:
        copy = elsewhere.create()
        restore(dumped, elsewhere, copy)
        restored = Lab(elsewhere, copy, lab.study, lab.folder / "elsewhere", lab.settings)
        restored.folder.mkdir()
        before = restored.states()
        began = time.monotonic()
        restored.worker()
        restored.until_finished()
        took = time.monotonic() - began
        restored.assert_nothing_lost_or_repeated(budget=6)
        assert sound(restored)
    finally:
        elsewhere.close()
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=6)
    measured(f"backup with {dict(before)}; 6 of 6 counted {took:.1f} s after the restore")


def dump(lab: Lab) -> bytes:
    place = ["-h", str(lab.server.cluster.socket_folder), "-U", "postgres"]
    command = [str(program("pg_dump")), *place, "-Fc", lab.database]
    return subprocess.run(command, check=True, capture_output=True).stdout


def restore(dumped: bytes, server: Server, database: str) -> None:
    place = ["-h", str(server.cluster.socket_folder), "-U", "postgres", "-d", database]
    command = [str(program("pg_restore")), *place, "--no-privileges"]
    subprocess.run(command, input=dumped, check=True)


def sound(lab: Lab) -> bool:
    settings = Settings(home=lab.folder, grace_seconds=GRACE_SECONDS)
    audit = Audit(StudyStorage(lab.url, "audit"), lab.study, settings)
    until(lambda: not audit.find(), "the audit finds nothing")
    return True
