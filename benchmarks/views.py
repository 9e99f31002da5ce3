"""Milliseconds that each view takes on a large SYNTHETIC study, and its plan.

The study has 5,000 complete trials of 3 folds over 50 epochs, which is 750,000 points of learning
curves, 500 pruned trials, 50 failed ones with their retries, and 8 running; it lies in an embedded
server of its own, which is removed at the end. Each line is one way in which a view is read: all
its rows of the study with all its columns, or what a page or a person asks of it. Times are those
of the server's one process, without parallel workers and without sending the rows (EXPLAIN
ANALYZE): by the clock, and of its processor, which other work on the machine prolongs less. Beside
them stands the processor time of a Python client until it holds the rows. All are medians.

    python benchmarks/views.py

takes about two minutes. `--plans` prints the plans, `--trials` sets the size.
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import NamedTuple

import psutil
from sqlalchemy import Connection, text
from surroundings import home, machine
from synthetic_study import fill

from blood_hpo.database.address import engine

REACH_MS = {5000: 60, 20000: 250}
"""What views of a row a trial or fewer are to take at most, by the server's clock."""
VIEWS = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'hpo'::regnamespace AND relkind IN ('v', 'm') ORDER BY relname
"""


class Timing(NamedTuple):
    """How long one statement takes: rows, and milliseconds each time it runs."""

    rows: int
    server: float
    processor: float
    client: float


def main() -> None:
    """Make the study, time every view, print a table."""
    asked = _arguments()
    with home() as (_, url):
        study = fill(url, asked.trials, asked.seed)
        with engine(url, "benchmark").connect() as connection:
            _measure(connection, study, asked)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=5000, help="Complete trials.")
    parser.add_argument("--seed", type=int, default=0, help="Of the study.")
    parser.add_argument("--repeat", type=int, default=5, help="Runs of which the median counts.")
    parser.add_argument("--plans", action="store_true", help="Print the plan of each statement.")
    return parser.parse_args()


def _measure(connection: Connection, study: str, asked: argparse.Namespace) -> None:
    connection = connection.execution_options(isolation_level="AUTOCOMMIT")
    connection.exec_driver_sql("VACUUM ANALYZE")
    connection.exec_driver_sql("SET max_parallel_workers_per_gather = 0")
    print(f"SYNTHETIC study of {asked.trials} complete trials; ms, medians of {asked.repeat} runs")
    print(f"reach: {REACH_MS.get(asked.trials, '-')} ms for a row a trial or fewer; {machine()}\n")
    print("| asked | rows | server | server's CPU | client's CPU |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for statement in _statements(connection):
        found = _time(connection, statement, study, asked.repeat)
        shown = statement.replace("SELECT * FROM hpo.", "").replace(" WHERE study = :study", "")
        times = " | ".join(f"{one:.1f}" for one in found[1:])
        print(f"| {shown} | {found.rows} | {times} |", flush=True)
        if asked.plans:
            print(_plan(connection, statement, study))


def _statements(connection: Connection) -> list[str]:
    """All rows of each view for the study, then what else is asked of the largest ones."""
    views = connection.scalars(text(VIEWS)).all()
    return [
        *(f"SELECT * FROM hpo.{view} WHERE study = :study" for view in views),
        "SELECT * FROM hpo.trials WHERE study = :study AND number = 77",
        "SELECT number, family, state, score FROM hpo.trials WHERE study = :study",
        "SELECT * FROM hpo.leaderboard WHERE study = :study AND rank <= 10",
        "SELECT * FROM hpo.learning_curves WHERE study = :study AND number = 77",
        "SELECT count(*) FROM hpo.learning_curves WHERE study = :study",
    ]


def _time(connection: Connection, statement: str, study: str, repeat: int) -> Timing:
    process = psutil.Process(connection.scalar(text("SELECT pg_backend_pid()")))
    explain = text(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT json) {statement}")
    server, processor, client, rows = [], [], [], 0
    for _ in range(repeat):
        before = _processor(process)
        (plan,) = connection.execute(explain, {"study": study}).scalar_one()
        server.append(plan["Execution Time"] + plan["Planning Time"])
        processor.append(_processor(process) - before)
    for _ in range(min(repeat, 3)):
        begun = time.process_time()
        rows = len(connection.execute(text(statement), {"study": study}).all())
        client.append(1000 * (time.process_time() - begun))
    return Timing(rows, *map(statistics.median, (server, processor, client)))


def _processor(process: psutil.Process) -> float:
    """Processor time of a process in milliseconds: to the nanosecond where Linux tells."""
    try:
        return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e6
    except OSError:
        used = process.cpu_times()
        return 1000 * float(used.user + used.system)


def _plan(connection: Connection, statement: str, study: str) -> str:
    lines = connection.scalars(
        text(f"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) {statement}"), {"study": study}
    )
    return "\n".join(f"    {line}" for line in lines)


if __name__ == "__main__":
    main()
