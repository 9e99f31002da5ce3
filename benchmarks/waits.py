"""What a person waits for: commands on SYNTHETIC studies of 100 and of 5,000 complete trials.

    python benchmarks/waits.py

takes about three minutes. Each command is a process of its own, as a person starts it; its CPU
seconds leave out the server's. Medians.
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

from sqlalchemy import text
from surroundings import home, machine
from synthetic_study import fill

from blood_hpo.database.address import engine

COMMANDS: dict[str, Sequence[str]] = {
    "--help": ["--help"],
    "status": ["status", "synthetic"],
    "query leaderboard": ["query", "leaderboard", "--study", "synthetic"],
    "trial show": ["trial", "show", "synthetic", "77"],
    "report": ["report", "synthetic", "--out", "report"],
}

NO_MODELS = "DELETE FROM public.studies WHERE study_name = 'synthetic-final'"
"""The synthetic study has no files of models, which a report would read."""


def main() -> None:
    """Time every command at every size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 5000])
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    print(f"{machine()}; medians of {asked.repeats}\n")
    print("| command | complete trials | wall, s | CPU, s |\n|---|---:|---:|---:|")
    for trials in asked.trials:
        with home() as (folder, url):
            fill(url, trials, seed=0)
            with engine(url).begin() as connection:
                connection.execute(text(NO_MODELS))
            for name, command in COMMANDS.items():
                taken = [timed(command, folder) for _ in range(asked.repeats)]
                wall, cpu = map(statistics.median, zip(*taken, strict=True))
                print(f"| {name} | {trials:,} | {wall:.2f} | {cpu:.2f} |", flush=True)


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
