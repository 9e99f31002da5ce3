"""What a claim costs: round trips, locks, processor time, and how many workers it serves.

Everything runs on an embedded server of its own with durable settings, removed at the end, in
SYNTHETIC studies: nothing is trained. Workers are processes that hold the program's own `Claims`.
Wall times suffer from whatever else the machine does; processor times and round trips hardly.

    python benchmarks/coordination.py

takes about five minutes; `--quick` takes fewer, with smaller studies.
"""

import argparse
import gc
import itertools
import json
import multiprocessing
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import optuna
import psutil
from optuna.storages import RDBStorage
from optuna.study import MaxTrialsCallback
from optuna.trial import TrialState
from sqlalchemy import event, make_url, text
from surroundings import home, machine

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.address import engine
from blood_hpo.database.record import TrialRecord
from blood_hpo.store.new_study import create_study
from blood_hpo.store.results import Ending
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import open_study
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.worker.claims import Busy, Claims

if TYPE_CHECKING:
    from wire import Wire

# Processes are forked from one that has imported this file, which does not find its neighbours.
STUDY_FILE = Path(__file__).parents[1] / "studies/blood.toml"
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["blood_hpo.worker.claims", "optuna.storages", "optuna.study", "psutil"]
)
FOREVER = threading.Event().wait
LINK_SECONDS = 0.05
BUDGET, OBJECTIVE_SECONDS = 40, 0.02
CHOICES: dict[str, list[float]] = {
    "units": [64, 128, 256, 512, 1024],
    "batch_size": [16, 32, 64, 128],
    "dropout": [0.0, 0.1, 0.2, 0.3],
}
"""A space of 80 configurations, in which a sampler soon repeats itself."""
meet = threading.Barrier(1)
Answer = TypeVar("Answer")

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Line(NamedTuple):
    """A line of the table."""

    what: str
    found: str


class Cost(NamedTuple):
    """Seconds of one claim by the clock, of this process's processor, and with the lock held."""

    wall: float
    cpu: float
    lock: float


class Poured(NamedTuple):
    """What one of several claimers did: claims, its processor seconds, seconds with the lock."""

    claims: int
    cpu: float
    wall: float
    locks: list[float]


class LockStorage(StudyStorage):
    """The program's storage, which notes how long the latest claim held the lock.

    Attributes:
        lock_seconds: From the answer to the statement that locks to the answer to the commit.
    """

    lock_seconds = 0.0
    _locked_at = 0.0

    def __init__(self, url: str) -> None:
        """Connect."""
        super().__init__(url, "benchmark")
        event.listen(self.engine, "after_cursor_execute", self._lock_answered)

    def _lock_answered(self, _connection: object, _cursor: object, asked: str, *_: object) -> None:
        if "FOR NO KEY UPDATE" in asked:
            self._locked_at = time.perf_counter()

    def create_trial(self, *claim: Any) -> int | None:  # noqa: ANN401
        """Claim, and note it."""
        number = super().create_trial(*claim)
        self.lock_seconds = time.perf_counter() - self._locked_at
        return number


@dataclass
class Claimer:
    """A worker that ends each trial as soon as it has claimed it."""

    url: str
    name: str
    sampler: str = "random"
    claims: Claims = field(init=False)
    storage: LockStorage = field(init=False)

    def __post_init__(self) -> None:
        self.storage = LockStorage(self.url)
        study = open_study(self.storage, self.name)
        document = {**study.spec.model_dump(mode="json"), "sampler": {"name": self.sampler}}
        study = replace(study, spec=StudySpec.parse(document, self.name))
        self.claims = Claims(study, f"benchmark:{os.getpid()}:{time.monotonic_ns()}")

    def claim(self) -> tuple[TrialRecord, Cost]:
        """Claim a trial."""
        begun, used = time.perf_counter(), time.process_time()
        found = self.claims.claim(FOREVER)
        wall, cpu = time.perf_counter() - begun, time.process_time() - used
        assert isinstance(found, TrialRecord), found
        return found, Cost(wall, cpu, self.storage.lock_seconds)

    def spare(self) -> Cost:
        """Claim a trial, then give it up: how many are complete stays as it is."""
        found, cost = self.claim()
        study_id, worker = self.claims.study.study_id, self.claims.worker
        self.storage.fail(study_id, found.trial_id, "given up", worker=worker, retry=False)
        return cost

    def end(self, found: TrialRecord, value: float) -> None:
        """End a trial well."""
        self.storage.end(found.trial_id, self.claims.worker, TrialState.COMPLETE, Ending(value))


@dataclass
class Bench:
    """The server, and the studies on it.

    Attributes:
        url: The database of the program.
        quick: Whether to measure less.
        numbers: Of studies that are made on the way.
    """

    url: str
    quick: bool
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def sizes(self) -> tuple[int, int]:
        """Complete trials of the two studies that are not empty."""
        return (200, 1000) if self.quick else (1000, 5000)

    @property
    def socket(self) -> Path:
        """The server's socket."""
        return Path(str(make_url(self.url).query["host"]), ".s.PGSQL.5432")

    def over(self, wire: "Wire") -> str:
        """The address of the database at the other end of a wire."""
        found = make_url(self.url).set(
            host="127.0.0.1", port=wire.port, query={"sslmode": "disable"}
        )
        return found.render_as_string(hide_password=False)

    def empty(self, **changes: object) -> str:
        """A new study without trials, by default of infinite spaces and a budget without end."""
        spec = load(STUDY_FILE).with_budgets({"mlp": 10_000, "cnn": 10_000})
        name = f"empty-{next(self.numbers)}"
        document = {**spec.model_dump(mode="json"), "name": name, "description": "SYNTHETIC"}
        source = DataSource(
            Path("none.npz"), "path", "0" * 64, "0" * 32, official=False, synthetic=True
        )
        storage = StudyStorage(self.url, "benchmark")
        create_study(storage, StudySpec.parse({**document, **changes}, name), source)
        storage.engine.dispose()
        return name

    def scalar(self, statement: str, **values: object) -> Any:  # noqa: ANN401
        """The one value that a statement gives."""
        with engine(self.url).connect() as connection:
            return connection.scalar(text(statement), values)


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="Smaller studies, shorter runs.")
    quick = parser.parse_args().quick
    before = machine()
    with home() as (_, url):
        lines = _measure(Bench(url, quick))
    _print(lines, before)


def _measure(bench: Bench) -> list[Line]:
    from synthetic_study import fill

    studies = {0: bench.empty()}
    for size in bench.sizes:
        _say(f"filling a study of {size} trials")
        studies[size] = fill(bench.url, size, seed=0, name=f"finished-{size}")
    with engine(bench.url).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
    return [
        _round_trips(bench, studies[bench.sizes[0]]),
        *_warm(bench, studies),
        *_first(bench, studies),
        _memory(bench, studies[bench.sizes[1]]),
        *_throughput(bench),
        *_beside(bench),
    ]


def _round_trips(bench: Bench, study: str) -> Line:
    from wire import Wire

    _say("counting round trips")
    with Wire(bench.socket) as wire:
        claimer = Claimer(bench.over(wire), study)
        claimer.spare()
        wire.requests.clear()
        assert isinstance(claimer.claims.claim(FOREVER), TrialRecord)
        asked = list(wire.requests)
        claimer.storage.engine.dispose()
    lock, commit = _place(asked, b"FOR NO KEY UPDATE"), _place(asked, b"COMMIT")
    found = f"{len(asked)}, {commit - lock}"
    return Line("round trips of a claim, and of them with the lock held", found)


def _place(asked: Iterable[bytes], words: bytes) -> int:
    return next(place for place, one in enumerate(asked) if words in one)


def _warm(bench: Bench, studies: Mapping[int, str]) -> list[Line]:
    """Claims of a worker that knows the study and is alone."""
    found = {}
    for sampler, size in itertools.product(("random", "tpe"), studies):
        _say(f"warm claims, {sampler}, {size} finished")
        claims = 10 if bench.quick else 40
        (found[sampler, size],) = _together(
            _claim_often, 1, bench.url, studies[size], sampler, claims
        )
    locks = [
        Line(
            f"lock held, {size} finished: median / p95, ms",
            _spread([one.lock for one in found["random", size]]),
        )
        for size in (0, bench.sizes[1])
    ]
    return locks + [
        Line(
            f"warm claim, {sampler}, {size} finished: CPU of the worker; wall / p95, ms",
            f"{_ms(one.cpu for one in costs)}; {_spread([one.wall for one in costs])}",
        )
        for (sampler, size), costs in found.items()
    ]


def _claim_often(url: str, name: str, sampler: str, claims: int) -> list[Cost]:
    claimer = Claimer(url, name, sampler)
    claimer.spare()
    return [claimer.spare() for _ in range(claims)]


def _first(bench: Bench, studies: Mapping[int, str]) -> list[Line]:
    """First claims of workers that know nothing, and of one that works meanwhile."""
    _say("first claims")
    alone, meanwhile = _beside_a_fresh_one(bench, studies[bench.sizes[1]])
    fresh, costs = meanwhile
    eight = sorted(
        one.wall for one in _together(_claim_first, 8, bench.url, studies[bench.sizes[0]])
    )
    return [
        Line(
            f"first claim of a fresh worker, {bench.sizes[1]} finished: CPU; wall, s",
            f"{fresh.cpu:.2f}; {fresh.wall:.2f}",
        ),
        Line(
            "another's warm claims before it; meanwhile: median, longest, ms",
            f"{_ms(alone)}; {_ms(costs)}, {1000 * max(costs):.0f}",
        ),
        Line(
            f"eight fresh workers at once, {bench.sizes[0]} finished: each one's first claim, s",
            " ".join(f"{one:.1f}" for one in eight),
        ),
    ]


def _beside_a_fresh_one(bench: Bench, study: str) -> tuple[list[float], tuple[Cost, list[float]]]:
    warm = Claimer(bench.url, study)
    warm.spare()
    alone = [warm.spare().wall for _ in range(10)]
    with _processes(1) as pool:
        fresh, meanwhile = pool.submit(_claim_first, bench.url, study), [0.0]
        while not fresh.done():
            meanwhile.append(warm.spare().wall)
    warm.storage.engine.dispose()
    return alone, (fresh.result(), meanwhile[1:])


def _claim_first(url: str, name: str) -> Cost:
    """The first claim of a process; connecting and opening the study count."""
    meet.wait()
    begun, used = time.perf_counter(), time.process_time()
    claimer = Claimer(url, name, "tpe")
    lock = claimer.spare().lock
    return Cost(time.perf_counter() - begun, time.process_time() - used, lock)


def _memory(bench: Bench, study: str) -> Line:
    _say("memory")
    ((grown, trials),) = _together(_remember, 1, bench.url, study)
    return Line(
        f"memory of a worker per trial, after {trials} trials, KB",
        f"{grown / trials / 1000:.1f}",
    )


def _remember(url: str, name: str) -> tuple[int, int]:
    """Bytes by which the process grows when it reads the history, and trials that it knows."""
    claimer, own = Claimer(url, name), psutil.Process()
    claimer.claims.study.storage.ask("stages_of", name=name)  # connected, and all is imported
    gc.collect()
    before = own.memory_info().rss
    claimer.claims.known("mlp")
    gc.collect()
    return own.memory_info().rss - before, claimer.claims.history.newest + 1


def _throughput(bench: Bench) -> list[Line]:
    from wire import Wire

    lines = [_poured(bench, count, bench.url, "") for count in (1, 8, 32)]
    with Wire(bench.socket, LINK_SECONDS / 2) as wire:
        slow = f", {1000 * LINK_SECONDS:.0f} ms of round trip"
        return [*lines, _poured(bench, 8, bench.over(wire), slow)]


def _poured(bench: Bench, count: int, url: str, link: str) -> Line:
    _say(f"{count} claimers{link}")
    seconds = 3.0 if bench.quick else 10.0
    found = _together(_pour, count, url, bench.empty(), seconds)
    claims = sum(one.claims for one in found)
    rate = sum(one.claims / one.wall for one in found)
    locks = [lock for one in found for lock in one.locks]
    cpu = 1000 * sum(one.cpu for one in found) / claims
    return Line(
        f"claims a second, each ended at once, {count} claimers{link};"
        " CPU a claim and its ending; lock held / p95, ms",
        f"{rate:.1f}; {cpu:.0f}; {_spread(locks)}",
    )


def _pour(url: str, name: str, seconds: float) -> Poured:
    claimer = Claimer(url, name)
    claimer.spare()
    meet.wait()
    begun, used, locks = time.perf_counter(), time.process_time(), []
    while time.perf_counter() - begun < seconds:
        found, cost = claimer.claim()
        claimer.end(found, 0.5)
        locks.append(cost.lock)
    wall = time.perf_counter() - begun
    return Poured(len(locks), time.process_time() - used, wall, locks)


def _beside(bench: Bench) -> list[Line]:
    """The program and Optuna's own `optimize`, 8 processes each, taking turns."""
    ours, stock = [], []
    for _ in range(1 if bench.quick else 3):
        _say("beside stock study.optimize")
        ours.append(_optimize_ours(bench))
        stock.append(_optimize_stock(bench))
    what = (
        f"8 processes, budget {BUDGET}, 80 configurations: counted; repeated configurations;"
        " trials a second; CPU ms a trial"
    )
    return [
        Line(f"{what}: this program", _average(ours)),
        Line(f"{what}: stock study.optimize", _average(stock)),
    ]


def _optimize_ours(bench: Bench) -> list[float]:
    name = bench.empty(
        space={}, families={"mlp": {"budget": BUDGET, "space": CHOICES}}, sampler={"name": "tpe"}
    )
    found = _together(_work, 8, bench.url, name)
    rows = "SELECT count(*) - count({}) FROM hpo.trials WHERE study = :study AND state = 'COMPLETE'"
    counted = bench.scalar(rows.format("NULL"), study=name)
    return _row(counted, bench.scalar(rows.format("DISTINCT config_hash"), study=name), found)


def _work(url: str, name: str) -> tuple[float, float]:
    claimer = Claimer(url, name, "tpe")
    meet.wait()
    begun, used = time.perf_counter(), time.process_time()
    while isinstance(found := claimer.claims.claim(FOREVER), TrialRecord | Busy):
        time.sleep(OBJECTIVE_SECONDS)  # the training, or the wait for others'
        if isinstance(found, TrialRecord):
            claimer.end(found, _score(found.params))
    return time.perf_counter() - begun, time.process_time() - used


def _optimize_stock(bench: Bench) -> list[float]:
    database = f"stock_{next(bench.numbers)}"
    with engine(bench.url).connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.execute(text(f"CREATE DATABASE {database}"))
    url = make_url(bench.url).set(database=database).render_as_string(hide_password=False)
    study = optuna.create_study(storage=RDBStorage(url), study_name="stock", direction="maximize")
    found = _together(_optimize, 8, url)
    params = [json.dumps(one.params) for one in study.get_trials(states=(TrialState.COMPLETE,))]
    return _row(len(params), len(params) - len(set(params)), found)


def _optimize(url: str) -> tuple[float, float]:
    study = optuna.load_study(study_name="stock", storage=RDBStorage(url))
    last = MaxTrialsCallback(BUDGET, states=(TrialState.COMPLETE,))
    meet.wait()
    begun, used = time.perf_counter(), time.process_time()
    study.optimize(_objective, callbacks=[last])
    return time.perf_counter() - begun, time.process_time() - used


def _objective(trial: optuna.Trial) -> float:
    params = {name: trial.suggest_categorical(name, one) for name, one in CHOICES.items()}
    time.sleep(OBJECTIVE_SECONDS)
    return _score(params)


def _score(params: Mapping[str, Any]) -> float:
    """Best, 1, in the middle of the space."""
    middle = [bool(params[name] == choices[len(choices) // 2]) for name, choices in CHOICES.items()]
    return sum(middle) / len(middle)


def _row(counted: int, repeated: int, found: list[tuple[float, float]]) -> list[float]:
    wall, cpu = max(one for one, _ in found), sum(one for _, one in found)
    return [counted, repeated, counted / wall, 1000 * cpu / counted]


def _average(rows: list[list[float]]) -> str:
    means = [statistics.fmean(column) for column in zip(*rows, strict=True)]
    return "{:.1f}; {:.1f}; {:.1f}; {:.0f}".format(*means)


@contextmanager
def _processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """As many processes, which meet at `meet`."""
    meeting = FORKS.Barrier(count, timeout=120)
    with ProcessPoolExecutor(count, FORKS, _know_meeting, (meeting,)) as pool:
        yield pool


def _know_meeting(meeting: threading.Barrier) -> None:
    global meet  # noqa: PLW0603 - an initializer has no other way
    meet = meeting


def _together(work: Callable[..., Answer], count: int, *values: object) -> list[Answer]:
    """What each of some processes answers that do the same at the same time."""
    with _processes(count) as pool:
        return [one.result() for one in [pool.submit(work, *values) for _ in range(count)]]


def _ms(seconds: Iterable[float]) -> str:
    return f"{1000 * statistics.median(seconds):.1f}"


def _spread(seconds: Sequence[float]) -> str:
    """Median and 95th percentile in milliseconds."""
    return f"{_ms(seconds)} / {1000 * float(np.quantile(seconds, 0.95)):.1f}"


def _say(doing: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {doing}\n")


def _print(lines: Iterable[Line], before: str) -> None:
    print(
        f"{before} before and {os.getloadavg()[0]:.1f} after; SYNTHETIC studies, medians unless"
        " they say otherwise\n\n| what | found |\n|---|---|"
    )
    for line in lines:
        print(f"| {' | '.join(line)} |")


if __name__ == "__main__":
    main()
