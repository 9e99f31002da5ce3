"""Workers that do not go when they are asked."""

import logging
import sys
from pathlib import Path

import pytest

from blood_hpo.service.pool import Pool

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
    with caplog.at_level(logging.WARNING):
        pool.close(0.1)
    assert pool.alive() == 0
    assert "did not end within 0 s of being asked and are killed" in caplog.text
