"""Workers that are killed: a peer runs the trial again, and one result counts."""

import signal
import time

from .conftest import Measure
from .lab import GRACE_SECONDS, HEARTBEAT_SECONDS, Lab


def test_killed_in_mid_epoch(lab: Lab, measured: Measure) -> None:
    lab.create(budget=1, epochs=100)  # long enough for the peer to start, however busy the machine
    victim = lab.worker(epoch_seconds=0.2)
    lab.until_epoch(2)
    lab.worker().says("waiting")
    lab.until_epoch(4)
    victim.signal(signal.SIGKILL)
    killed = time.monotonic()
    assert victim.wait() == -signal.SIGKILL
    lab.until_state("FAIL")
    recovered = time.monotonic() - killed
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=1)
    first, second = lab.trials()
    assert "was not heard of for 2 s (attempt 1, 2 left)" in first["reason"]
    assert (second["attempt"], second["retry_of"]) == (2, 0)
    resumed = lab.resumed_from(1)
    assert resumed >= 3
    assert recovered > GRACE_SECONDS - HEARTBEAT_SECONDS
    measured(f"recovered after {recovered:.1f} s (grace 2 s), resumed from epoch {resumed} of 100")


def test_killed_between_claim_and_first_epoch(lab: Lab, measured: Measure) -> None:
    lab.create(budget=1)
    victim = lab.worker(die_at_start=True)
    assert victim.wait() == -signal.SIGKILL
    killed = time.monotonic()
    (claimed,) = lab.trials()
    assert (claimed["state"], claimed["epoch"]) == ("RUNNING", None)
    lab.worker()
    lab.until_state("FAIL")
    recovered = time.monotonic() - killed
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=1)
    measured(f"recovered after {recovered:.1f} s (grace 2 s), 2 attempts")


def test_killed_inside_tell(lab: Lab, measured: Measure) -> None:
    study = lab.create(budget=1, epochs=2)
    lock = "SELECT * FROM trials WHERE study_id = %s FOR NO KEY UPDATE"
    victim = lab.worker(epoch_seconds=0.5)
    lab.until_epoch(1)
    with lab.server.holding(lab.database, lock, study.study_id):
        victim.says("epoch 2/2")
        lab.server.wait_for_lock(lab.database, "UPDATE public.trials")
        victim.signal(signal.SIGKILL)
        victim.wait()
    assert [row["state"] for row in lab.trials()] == ["RUNNING"]
    lab.worker()
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=1)
    assert lab.states() == {"FAIL": 1, "COMPLETE": 1}
    measured(f"one result, resumed from epoch {lab.resumed_from(1)} of 2")


def test_many_janitors_race_for_one_dead_trial(lab: Lab, measured: Measure) -> None:
    lab.create(budget=1, epochs=12)
    victim = lab.worker(epoch_seconds=2)
    lab.until_epoch(1)
    janitors = [lab.worker() for _ in range(6)]
    for janitor in janitors:
        janitor.says("waiting")
    victim.signal(signal.SIGKILL)
    victim.wait()
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=1)
    assert lab.states() == {"FAIL": 1, "COMPLETE": 1}
    measured("6 janitors, 1 retry")
