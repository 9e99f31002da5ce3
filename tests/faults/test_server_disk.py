"""The server's own disk is full: it refuses, or goes down, and the workers wait for it."""

import contextlib
import time
from pathlib import Path

import psycopg2
import pytest

from blood_hpo.database.migrate import migrate

from ..waiting import until
from .conftest import Measure
from .disk import fill, mounted
from .lab import Lab
from .server import Server


@pytest.mark.parametrize("goes_down", [False, True])
def test_the_server_has_no_space_left(
    lab: Lab, measured: Measure, tmp_path: Path, *, goes_down: bool
) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "size=192m"), contextlib.closing(Server(disk / "server")) as server:
        own = Lab(server, server.create(), lab.study, tmp_path / "home", lab.settings)
        own.folder.mkdir()
        migrate(own.url)
        own.create(budget=4, epochs=20)
        workers = [own.worker(epoch_seconds=0.1) for _ in range(2)]
        own.until_epoch(2, number=1)
        ballast = fill(disk)
        began = time.monotonic()
        if goes_down:
            panic(own)
            until(lambda: not server.cluster.is_running(), "the server is down")
        for worker in workers:
            worker.says("database away while")
        ballast.unlink()
        if goes_down:
            server.start()
        away = time.monotonic() - began
        own.until_finished()
        own.assert_nothing_lost_or_repeated(budget=4)
        assert own.states() == {"COMPLETE": 4}
    assert goes_down or "No space left on device" in workers[0].text
    measured(f"space again after {away:.1f} s, 4 of 4 counted, 0 retries")


def panic(lab: Lab) -> None:
    """Have the server write to its log until there is no space for more, which ends it."""
    with contextlib.suppress(psycopg2.OperationalError):
        while True:
            entry = "SELECT pg_logical_emit_message(false, 'ballast', repeat('x', 1000000))"
            lab.server.rows(lab.database, entry)
