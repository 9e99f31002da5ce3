"""Workers that are asked to stop, stopped, and woken up again."""

import os
import signal
import time
from pathlib import Path

from blood_hpo.database.statements import statement
from blood_hpo.store.storage import StudyStorage

from ..waiting import until
from .conftest import Measure
from .lab import FORKS, GRACE_SECONDS, Lab


def test_sigterm_puts_the_trial_back(lab: Lab, measured: Measure) -> None:
    lab.create(budget=1, epochs=12)
    drained = lab.worker(epoch_seconds=0.2, checkpoint_seconds=3600)
    lab.until_epoch(3)
    drained.signal(signal.SIGTERM)
    asked = time.monotonic()
    assert drained.wait() == 0
    took = time.monotonic() - asked
    (waiting,) = lab.trials()
    assert (waiting["state"], waiting["attempt"], waiting["worker"]) == ("WAITING", 1, None)
    lab.worker()
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=1)
    assert lab.states() == {"COMPLETE": 1}
    assert lab.resumed_from(0) == waiting["epoch"]
    measured(f"exit 0 after {took:.1f} s (epoch 0.2 s), same trial goes on, 1 attempt")


def test_a_second_sigterm_ends_at_once(lab: Lab, measured: Measure) -> None:
    lab.create(budget=1, epochs=4)
    hasty = lab.worker(epoch_seconds=600)
    hasty.says("epoch 1 begins")
    hasty.signal(signal.SIGTERM)
    hasty.says("draining")
    hasty.signal(signal.SIGTERM)
    asked = time.monotonic()
    assert hasty.wait() == 130
    took = time.monotonic() - asked
    lab.worker()
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=1)
    measured(f"exit 130 after {took:.2f} s in an epoch of 600 s, then recovered")


def test_stopped_past_the_grace_time_and_woken(lab: Lab, measured: Measure) -> None:
    lab.create(budget=2, epochs=10)
    sleeper = lab.worker(epoch_seconds=0.2)
    lab.until_epoch(2)
    sleeper.signal(signal.SIGSTOP)
    lab.worker()
    lab.until_state("FAIL")
    lab.until_state("COMPLETE")
    sleeper.signal(signal.SIGCONT)
    sleeper.says("lease lost, a peer has taken it over; result discarded")
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=2)
    measured(f"{lab.states()['FAIL']} lease lost, exit 0, 2 of 2 counted")


def test_asleep_past_the_grace_time_nobody_is_judged_on_waking(lab: Lab, measured: Measure) -> None:
    lab.create(budget=1, epochs=20)
    holder = lab.worker(epoch_seconds=0.2)
    lab.until_epoch(2)
    idle = lab.worker()
    idle.says("nothing to claim")
    for worker in (holder, idle):
        worker.signal(signal.SIGSTOP)
    silence = "SELECT max(clock_timestamp() - heartbeat_at) > make_interval(secs => %s) AS long"
    asked = f"{silence} FROM hpo.attempt WHERE open"
    until(lambda: lab.server.rows(lab.database, asked, 2 * GRACE_SECONDS)[0]["long"], "silence")
    (woken,) = lab.server.rows(lab.database, "SELECT clock_timestamp() AS at")
    idle.signal(signal.SIGCONT)
    claims = "SELECT 1 FROM pg_stat_activity WHERE query_start > %s AND query ~ 'paused|given_up'"
    own = "AND datname = current_database() AND pid <> pg_backend_pid()"
    look = f"{claims} {own}"
    until(lambda: lab.server.rows(lab.database, look, woken["at"]), "the other has looked first")
    holder.signal(signal.SIGCONT)
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=1)
    assert lab.states() == {"COMPLETE": 1}
    measured("silent for 2 grace times, 0 retries")


def stop_inside_a_claim(url: str, study_id: int) -> None:
    storage = StudyStorage(url, "stopped", grace_seconds=GRACE_SECONDS)
    with storage.engine.begin() as connection:
        connection.execute(statement("claim_lock"), {"study_id": study_id})
        os.kill(os.getpid(), signal.SIGSTOP)


def test_stopped_while_holding_the_claim_lock(lab: Lab, measured: Measure) -> None:
    study = lab.create(budget=1)
    stopped = FORKS.Process(target=stop_inside_a_claim, args=(lab.url, study.study_id))
    stopped.start()
    status = Path(f"/proc/{stopped.pid}/status")
    until(lambda: "T (stopped)" in status.read_text(), "the claim is stopped")
    held = time.monotonic()
    lab.worker()
    lab.until_state("RUNNING")
    waited = time.monotonic() - held
    assert waited < 5 * GRACE_SECONDS
    lab.until_finished()
    lab.assert_nothing_lost_or_repeated(budget=1)
    stopped.kill()
    stopped.join()
    measured(f"others go on after {waited:.1f} s (grace 2 s)")
