"""A study of its own, worker processes on it, and what became of them."""

import itertools
import multiprocessing
import os
import re
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.store.new_study import create_study
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy
from blood_hpo.studyfile.schema import StudySpec

from ..waiting import until
from . import fixed_cost
from .fixed_cost import Cost, work
from .server import Server

# Forked from a process that has the program loaded: a worker is there in a few milliseconds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([fixed_cost.__name__])

HEARTBEAT_SECONDS = 0.2
GRACE_SECONDS = 2.0


@dataclass
class WorkerProcess:
    """A worker, as its operator sees it."""

    process: BaseProcess
    log: Path

    def signal(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def wait(self, seconds: float = 60.0) -> int:
        """The exit code; a negative one is the signal that ended it."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"does not end:\n{self.text}"
        return self.process.exitcode

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def says(self, words: str, seconds: float = 60.0) -> None:
        """Wait until its log has these words."""
        try:
            until(lambda: words in self.text, f"{words!r} in its log", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.text}") from None


@dataclass
class Lab:
    """Runs faults on one study.

    Attributes:
        server: Where the database is.
        database: Its name; other studies are there too.
        study: Name of the study.
        folder: Home of the workers; their logs are there too.
        settings: Of the workers, as from the environment.
    """

    server: Server
    database: str
    study: str
    folder: Path
    settings: Mapping[str, object]
    workers: list[WorkerProcess] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return self.server.url(self.database)

    def create(self, budget: int = 1, epochs: int = 6, **changes: object) -> SharedStudy:
        """A study of MLPs, any number of units once."""
        document: dict[str, object] = {
            "name": self.study,
            "seed": 7,
            "training": {"epochs": epochs, "start_epoch": 0},
            "sampler": {"name": "random"},
            "pruner": {"name": "none"},
            "families": {"mlp": {"budget": budget, "space": {"units": {"low": 8, "high": 2000}}}},
        }
        spec = StudySpec.parse({**document, **changes}, "faults")
        source = DataSource(
            Path("set.npz"), "path", "a" * 64, "a" * 32, official=False, synthetic=True
        )
        return create_study(StudyStorage(self.url, "test"), spec, source)

    def worker(
        self, url: str | None = None, namespace: str | None = None, **cost: Any
    ) -> WorkerProcess:
        """Start a worker."""
        log = self.folder / f"worker-{next(self._numbers)}.log"
        arguments = (url or self.url, self.study, self.settings, Cost(**cost), log, namespace)
        process = FORKS.Process(target=work, args=arguments, daemon=True)
        process.start()
        one = WorkerProcess(process, log)
        self.workers.append(one)
        return one

    def clean_up(self) -> None:
        for one in self.workers:
            if one.process.exitcode is None:
                one.process.kill()
                one.process.join()

    def trials(self, state: str | None = None) -> list[dict[str, Any]]:
        """Rows of the view, by number."""
        found = self.server.rows(
            self.database, "SELECT * FROM hpo.trials WHERE study = %s ORDER BY number", self.study
        )
        return [row for row in found if state in (None, row["state"])]

    def resumed_from(self, number: int) -> int:
        """The epoch from which a trial went on, by what its worker said; 0 if from the start."""
        said = "".join(one.text for one in self.workers)
        found = re.findall(rf"trial {number}: goes on from epoch (\d+)", said)
        return int(found[-1]) if found else 0

    def until_epoch(self, epoch: int, number: int = 0) -> None:
        """Wait until a trial has reported an epoch."""

        def reached() -> bool:
            rows = [row for row in self.trials("RUNNING") if row["number"] == number]
            return bool(rows) and (rows[0]["epoch"] or 0) >= epoch

        until(reached, f"trial {number} in epoch {epoch}")

    def until_state(self, state: str, count: int = 1, seconds: float = 60.0) -> None:
        until(lambda: len(self.trials(state)) >= count, f"{count} trials are {state}", seconds)

    def until_finished(self, seconds: float = 60.0) -> None:
        """Wait until every worker that has not been killed has ended well."""
        for one in self.workers:
            if one.process.exitcode is None:
                assert one.wait(seconds) == 0, one.text

    def states(self) -> Counter[str]:
        return Counter(row["state"] for row in self.trials())

    def assert_nothing_lost_or_repeated(self, budget: int) -> None:
        """Exactly the budget is counted, no configuration twice, and every retry has its origin."""
        trials = {row["number"]: row for row in self.trials()}
        counted = [row for row in trials.values() if row["state"] in {"COMPLETE", "PRUNED"}]
        assert len(counted) == budget
        times = Counter(row["config_hash"] for row in counted)
        assert [row for row in trials.values() if times[row["config_hash"]] > 1] == []
        assert {row["state"] for row in trials.values()} <= {"COMPLETE", "PRUNED", "FAIL"}
        for row in trials.values():
            if row["attempt"] > 1:
                assert trials[row["retry_of"]]["config_hash"] == row["config_hash"]
        for row in counted:
            epochs = row["epoch"]
            assert row["score"] == fixed_cost.score(row["config_hash"], epochs)
