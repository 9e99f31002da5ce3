"""How much of their time workers spend on their trials, where every trial costs the same.

Real worker processes of the program, with a real server; only what a trial trains is replaced: it
waits, ten epochs of half a second. Efficiency is the time that the trials themselves take, over
workers times the time from the first claim to the last ending: the rest went on claims, reports and
records, and on waiting for others. Starting processes does not count.

    python benchmarks/scaling.py

takes about three minutes.
"""

import argparse
import multiprocessing
import sys
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import text
from surroundings import home, machine

from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.address import engine
from blood_hpo.store.new_study import create_study
from blood_hpo.store.storage import StudyStorage
from blood_hpo.studyfile.schema import StudySpec

sys.path.append(str(Path(__file__).parents[1]))

from tests.faults.fixed_cost import Cost, work

EPOCHS, EPOCH_SECONDS, ROUNDS = 10, 0.5, 5
SPENT = """
    SELECT count(*) AS trials, extract(epoch FROM max(finished_at) - min(started_at)) AS seconds
    FROM hpo.trials WHERE study = :study AND state = 'COMPLETE'
"""
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.fixed_cost"])


def main() -> None:
    """Let each number of workers spend a budget and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 8, 16])
    counts = parser.parse_args().workers
    print(
        f"{machine()}; trials of {EPOCHS * EPOCH_SECONDS:.0f} s\n\n"
        "| workers | trials | seconds | trials an hour | efficiency |\n|---:|---:|---:|---:|---:|"
    )
    with home() as (folder, url):
        for workers in counts:
            print(row(workers, *spend(url, folder, workers)), flush=True)


def spend(url: str, folder: Path, workers: int) -> tuple[int, float]:
    """Trials, and seconds from the first claim to the last ending."""
    name = f"fixed-{workers}"
    family = {"budget": ROUNDS * workers, "space": {"dropout": {"low": 0.0, "high": 0.5}}}
    document: dict[str, Any] = {"name": name, "families": {"mlp": family}}
    document |= {
        "training": {"folds": 2, "epochs": EPOCHS, "start_epoch": 0},
        "pruner": {"name": "none"},
    }
    storage = StudyStorage(url, "benchmark")
    source = DataSource(Path(), "path", "0" * 64, "0" * 32, official=False, synthetic=True)
    create_study(storage, StudySpec.parse(document, name), source)
    storage.engine.dispose()
    with tempfile.TemporaryDirectory() as logs:
        started = [_start(url, name, folder, Path(logs) / f"{one}.log") for one in range(workers)]
        for one in started:
            one.join()
    with engine(url).connect() as connection:
        trials, seconds = connection.execute(text(SPENT), {"study": name}).one()
    return trials, float(seconds)


def _start(url: str, name: str, folder: Path, log: Path) -> Any:  # noqa: ANN401 - a context's own
    cost = Cost(epoch_seconds=EPOCH_SECONDS, checkpoint_seconds=20.0)
    process = FORKS.Process(target=work, args=(url, name, {"home": str(folder)}, cost, log))
    process.start()
    return process


def row(workers: int, trials: int, seconds: float) -> str:
    """A line of the table."""
    efficiency = trials * EPOCHS * EPOCH_SECONDS / (workers * seconds)
    return (
        f"| {workers} | {trials} | {seconds:.1f} | {3600 * trials / seconds:.0f}"
        f" | {efficiency:.1%} |"
    )


if __name__ == "__main__":
    main()
