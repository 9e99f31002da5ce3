"""Eight workers, two hundred trials, a hundred faults and more; then the audit.

The schedule follows from the seed (CHAOS_SEED) and is printed as it is carried out: the second, the
fault, the worker. Faults keep pace with the trials, seven to ten. A worker that ended is replaced,
as an orchestrator would.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from blood_hpo.settings import Settings
from blood_hpo.store.storage import StudyStorage
from blood_hpo.worker.janitor import Audit

from ..conftest import Measure
from ..lab import GRACE_SECONDS, Lab, WorkerProcess

SEED = int(os.environ.get("CHAOS_SEED", "1"))
WORKERS = 8
BUDGET = 200
LEAST_FAULTS = 100
STRIKES_A_TRIAL = 0.7
LONGEST_SECONDS = 900.0


@dataclass
class Chaos:
    """Breaks things, one after the other."""

    lab: Lab
    dice: random.Random
    began: float = field(default_factory=time.monotonic)
    done: Counter[str] = field(default_factory=Counter)
    stopped: dict[int, WorkerProcess] = field(default_factory=dict)
    ended: Counter[int] = field(default_factory=Counter)

    def strike(self) -> None:
        """One fault of a kind that the dice choose."""
        faults: list[Callable[[], str]] = [self.kill, self.drain, self.stop, self.terminate]
        weights = [6, 3, 4, 4]
        (fault,) = self.dice.choices(faults, weights)
        if self.dice.random() < 0.08:
            fault = self.dice.choice([self.restart, self.crash])
        name = fault.__name__
        self.say(name, fault())
        self.done[name] += 1

    def say(self, name: str, detail: str) -> None:
        print(f"{time.monotonic() - self.began:7.2f} s  {name:<10} {detail}", flush=True)

    def one(self) -> WorkerProcess:
        return self.dice.choice(self.alive())

    def alive(self) -> list[WorkerProcess]:
        return [one for one in self.lab.workers if one.process.is_alive()]

    def kill(self) -> str:
        return self.send(signal.SIGKILL)

    def drain(self) -> str:
        return self.send(signal.SIGTERM)

    def send(self, number: signal.Signals) -> str:
        victim = self.one()
        victim.signal(number)
        return victim.log.stem

    def stop(self) -> str:
        """Stop a worker, for a moment or for longer than the grace time."""
        victim = self.one()
        victim.signal(signal.SIGSTOP)
        seconds = self.dice.choice([0.3, 1.0, 2 * GRACE_SECONDS])
        self.stopped[round((time.monotonic() + seconds) * 1000)] = victim
        return f"{victim.log.stem} for {seconds:g} s"

    def terminate(self) -> str:
        return f"{self.lab.server.terminate(self.lab.database)} connections"

    def restart(self) -> str:
        self.lab.server.restart("fast")
        return "server, fast"

    def crash(self) -> str:
        self.lab.server.restart("immediate")
        return "server, immediate"

    def wake(self) -> None:
        """Continue those whose time has come."""
        for at in [at for at in self.stopped if at <= time.monotonic() * 1000]:
            sleeper = self.stopped.pop(at)
            if sleeper.process.is_alive():
                sleeper.signal(signal.SIGCONT)

    def replace(self) -> None:
        """Start a worker for each that has ended."""
        for one in [one for one in self.lab.workers if not one.process.is_alive()]:
            self.ended[one.wait()] += 1
            self.lab.workers.remove(one)
            self.lab.worker(epoch_seconds=0.1)

    def is_due(self) -> bool:
        """The faults keep pace with the trials, on a fast machine and on a slow one."""
        if not self.alive():  # all have ended at once, with the last trial
            return False
        return self.done.total() < WORKERS + STRIKES_A_TRIAL * self.lab.states()["COMPLETE"]

    def is_finished(self) -> bool:
        return self.lab.states()["COMPLETE"] >= BUDGET and not self.open_trials()

    def open_trials(self) -> int:
        return self.lab.states()["RUNNING"] + self.lab.states()["WAITING"]


@pytest.mark.timeout(LONGEST_SECONDS + 120)
def test_chaos(lab: Lab, measured: Measure) -> None:
    lab.settings = {**lab.settings, "max_attempts": 10}
    lab.create(budget=BUDGET, epochs=8)
    chaos = Chaos(lab, random.Random(SEED))
    print(f"\nchaos with seed {SEED}: {WORKERS} workers, {BUDGET} trials", flush=True)
    for _ in range(WORKERS):
        lab.worker(epoch_seconds=0.1)
    while not chaos.is_finished():
        assert time.monotonic() - chaos.began < LONGEST_SECONDS, lab.states()
        if chaos.is_due():
            chaos.strike()
        chaos.wake()
        chaos.replace()
    report(lab, chaos, measured)


def report(lab: Lab, chaos: Chaos, measured: Measure) -> None:
    lab.assert_nothing_lost_or_repeated(BUDGET)
    settings = Settings(home=Path(str(lab.settings["home"])), grace_seconds=GRACE_SECONDS)
    found = Audit(StudyStorage(lab.url, "audit"), lab.study, settings).find()
    assert [row for row in found if row[0] != "left over"] == []
    faults = sum(chaos.done.values())
    assert faults >= LEAST_FAULTS
    drained_twice = 130
    assert set(chaos.ended) <= {0, drained_twice, -signal.SIGKILL}, chaos.ended
    attempts = Counter(row["attempt"] for row in lab.trials("COMPLETE"))
    retries = lab.states()["FAIL"]
    took = time.monotonic() - chaos.began
    measured(
        f"seed {SEED}: {faults} faults in {took:.0f} s ({dict(chaos.done)}), counted {BUDGET} of"
        f" {BUDGET}, repeats 0, lost 0, running 0, {retries} retries, attempts of the counted"
        f" {dict(sorted(attempts.items()))}, exits {dict(chaos.ended)}"
    )
