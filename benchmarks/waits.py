"""What a person waits for: `run` to its first epoch, and commands on SYNTHETIC studies.

    python benchmarks/waits.py

takes about five minutes. `db migrate` makes a server in an empty folder, then starts it again; for
all else the server is up. `run` trains studies/quickstart.toml with one worker, on SYNTHETIC
images, as many as BloodMNIST has; it counts from its start until the mean of the folds after one
epoch is in the database. The other commands ask a study of 100 or of 5,000 complete trials. Each is
a process of its own, as a person starts it; CPU seconds leave out the server's. Medians.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from sqlalchemy import text
from surroundings import home, machine
from synthetic_study import fill

from blood_hpo.data.facts import OFFICIAL_COUNTS
from blood_hpo.data.synthetic import write_synthetic
from blood_hpo.database.address import engine

STUDY_FILE = Path(__file__).parents[1] / "studies/quickstart.toml"
LOOK_SECONDS = 0.02
COMMANDS: dict[str, Sequence[str]] = {
    "--help": ["--help"],
    "status": ["status", "synthetic"],
    "query leaderboard": ["query", "leaderboard", "--study", "synthetic"],
    "trial show": ["trial", "show", "synthetic", "0"],
    "report": ["report", "synthetic", "--out", "report"],
}

NO_MODELS = "DELETE FROM hpo.study WHERE stage = 'final'"
"""The synthetic study has no files of models, which a report would read."""
EPOCHS = """
    SELECT count(*) FROM public.trial_intermediate_values JOIN public.trials USING (trial_id)
    JOIN public.studies USING (study_id) WHERE study_name = :study
"""


def main() -> None:
    """Time every command at every size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 5000])
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    print(f"{machine()}; medians of {asked.repeats}\n")
    print("| command | complete trials | wall, s | CPU, s |\n|---|---:|---:|---:|")
    fresh, again = zip(*(server() for _ in range(asked.repeats)), strict=True)
    print(row("db migrate, from nothing", 0, fresh))
    print(row("db migrate, server down", 0, again), flush=True)
    with home() as (folder, url):
        sizes = {split: sum(counts) for split, counts in OFFICIAL_COUNTS.items()}
        write_synthetic(folder / "cells.npz", sizes=sizes)
        taken = [first_epoch(folder, url, f"run-{turn}") for turn in range(asked.repeats)]
        print(row("run to its first epoch", 0, taken), flush=True)
    for trials in asked.trials:
        with home() as (folder, url):
            fill(url, trials, seed=0)
            with engine(url).begin() as connection:
                connection.execute(text(NO_MODELS))
            for name, command in COMMANDS.items():
                taken = [timed(command, folder) for _ in range(asked.repeats)]
                print(row(name, trials, taken), flush=True)


def server() -> tuple[tuple[float, float], tuple[float, float]]:
    """Wall and CPU seconds of the first command in a folder, and of the next."""
    with tempfile.TemporaryDirectory() as folder:
        return timed(["db", "migrate"], Path(folder)), timed(["db", "migrate"], Path(folder))


def row(name: str, trials: int, taken: Sequence[tuple[float, float]]) -> str:
    """A line of the table."""
    wall, cpu = map(statistics.median, zip(*taken, strict=True))
    return f"| {name} | {trials:,} | {wall:.2f} | {cpu:.2f} |"


def first_epoch(folder: Path, url: str, study: str) -> tuple[float, float]:
    """Wall and CPU seconds of `run` and its worker until there is an epoch; then they are ended."""
    command = [sys.executable, "-m", "blood_hpo", "run", str(STUDY_FILE), "--workers", "1"]
    command += ["--name", study, "--data", str(folder / "cells.npz")]
    environment, begun = {**os.environ, "BLOOD_HPO_HOME": str(folder)}, time.perf_counter()
    connected = engine(url).execution_options(isolation_level="AUTOCOMMIT")
    with (
        connected.connect() as connection,
        psutil.Popen(command, stdout=subprocess.DEVNULL, env=environment) as process,
    ):
        while not connection.scalar(text(EPOCHS), {"study": study}):
            if process.poll() is not None:
                raise SystemExit(f"run ended with code {process.returncode} before an epoch")
            time.sleep(LOOK_SECONDS)
        times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
        found = time.perf_counter() - begun, sum(one.user + one.system for one in times)
        process.terminate()
    connected.dispose()
    return found


def timed(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of one run."""
    environment = {**os.environ, "BLOOD_HPO_HOME": str(folder)}
    with tempfile.TemporaryDirectory() as work:
        wall, cpu = time.perf_counter(), children()
        subprocess.run(
            [sys.executable, "-m", "blood_hpo", *command],
            check=True,
            capture_output=True,
            cwd=work,
            env=environment,
        )
        return time.perf_counter() - wall, children() - cpu


def children() -> float:
    """CPU seconds of the processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
