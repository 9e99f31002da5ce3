"""A link that is cut without a word, and one that is slow.

The server and the workers are in two network namespaces of their own, joined by a cable of ours.
"""

import contextlib
import math
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator

import psycopg2
import pytest
from sqlalchemy import make_url

from blood_hpo.server.account import server_account
from blood_hpo.server.programs import program

from ..waiting import until
from .cable import ADDRESS, OTHER_END, TUN, Cable
from .conftest import Measure
from .lab import GRACE_SECONDS, Lab, WorkerProcess
from .server import Server


@pytest.fixture
def cable() -> Iterator[Cable]:
    if os.geteuid() or not shutil.which("ip") or not TUN.exists():
        pytest.skip("network namespaces need root, ip (Debian: iproute2) and /dev/net/tun")
    with contextlib.ExitStack() as stack:
        try:
            one = stack.enter_context(Cable())
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no network namespaces here: {error}")
        yield one


@pytest.fixture
def remote(lab: Lab, cable: Cable) -> Iterator[str]:
    """The address of the lab's database behind the cable; its server runs in the namespace."""
    server = lab.server
    rules = server.cluster.folder / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"{before}\nhost all all {OTHER_END}/32 trust\n")
    server.stop()
    with running_in(cable.near, server):
        yield (
            make_url(lab.url)
            .set(host=ADDRESS, port=5432, query={})
            .render_as_string(hide_password=False)
        )
        lab.clean_up()
    rules.write_text(before)


@contextlib.contextmanager
def running_in(namespace: str, server: Server) -> Iterator[None]:
    folder = server.cluster.folder
    account = server_account(folder)
    assert account is not None
    own = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    postgres = [str(program("postgres")), "-D", str(folder), "-c", f"listen_addresses={ADDRESS}"]
    place = ["-c", f"unix_socket_directories={server.cluster.socket_folder}", "-c", "timezone=UTC"]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *own, *postgres, *place], stdout=log, stderr=log
        )
    try:
        until(lambda: answers(server), "the server answers")
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def answers(server: Server) -> bool:
    with contextlib.suppress(psycopg2.OperationalError):
        server.connect("postgres").close()
        return True
    return False


def test_a_cut_link(lab: Lab, measured: Measure, cable: Cable, remote: str) -> None:
    lab.create(budget=1, epochs=60)
    cut_off = lab.worker(url=remote, namespace=cable.far, epoch_seconds=0.2)
    lab.until_epoch(2)
    cable.cut = True
    cut = time.monotonic()
    cut_off.says("database away while")  # reporting or sending heartbeats, whichever meets it first
    noticed = time.monotonic() - cut
    cut_off.signal(signal.SIGTERM)
    asked = time.monotonic()
    assert cut_off.wait() == 0
    stopped = time.monotonic() - asked
    lab.worker(epoch_seconds=0.0)
    lab.until_state("FAIL")
    recovered = time.monotonic() - cut
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=1)
    measured(
        f"error after {noticed:.1f} s, SIGTERM then: exit 0 after {stopped:.1f} s (drain 3 s),"
        f" peer recovered it {recovered:.1f} s after the cut"
    )


def ended_beside_a_janitor(lab: Lab, cable: Cable, slow: WorkerProcess) -> float:
    """Seconds until the slow worker's only trial is complete, in its first attempt."""
    slowed = time.monotonic()
    janitor = lab.worker()
    lab.until_state("COMPLETE", seconds=200)
    lasted = time.monotonic() - slowed
    cable.delay, cable.rate = 0.0, math.inf
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=1)
    assert lab.states() == {"COMPLETE": 1}
    assert "not heard of" not in janitor.text
    assert "lease lost" not in slow.text
    return lasted


def test_a_link_with_two_seconds_of_latency(
    lab: Lab, measured: Measure, cable: Cable, remote: str
) -> None:
    grace = 5 * GRACE_SECONDS
    lab.settings = {**lab.settings, "grace_seconds": grace}
    lab.create(budget=1, epochs=2)
    slow = lab.worker(url=remote, namespace=cable.far, epoch_seconds=4.0)
    lab.until_epoch(1)
    cable.delay = 1.0
    lasted = ended_beside_a_janitor(lab, cable, slow)
    assert lasted > grace
    measured(f"heard of for {lasted:.0f} s (grace {grace:g} s) with a round trip of 2 s, 0 retries")


def test_a_file_that_travels_for_ten_grace_times(
    lab: Lab, measured: Measure, cable: Cable, remote: str
) -> None:
    grace = 3.0
    lab.settings = {**lab.settings, "grace_seconds": grace}
    lab.create(budget=1, epochs=2)
    slow = lab.worker(url=remote, namespace=cable.far, epoch_seconds=1.0, file_bytes=30_000_000)
    lab.until_epoch(1)
    cable.rate = 2e6
    lasted = ended_beside_a_janitor(lab, cable, slow)
    assert lasted > 10 * grace - 5
    measured(f"30 MB at 2 MB/s: ended after {lasted:.0f} s (grace {grace:g} s), 0 retries")
