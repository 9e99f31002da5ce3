"""CPU seconds that optuna-dashboard takes to refresh a page of a large SYNTHETIC study.

The study has 5,000 complete trials of 3 folds over 50 epochs, some pruned and failed ones, and 8
running. An open page asks for its study every few seconds, for the trials after those that it holds
as finished. Measured is the processor time of the one process that serves it, with everything that
a request costs there: the application, Optuna's cache, and the driver of the database; the
database's own work is another process's.

    python benchmarks/dashboard.py

takes about two minutes. `--trials` sets the size.
"""

import argparse
import io
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults

from surroundings import home, machine
from synthetic_study import fill

from blood_hpo.dashboard.notes import refresh_note
from blood_hpo.dashboard.server import application
from blood_hpo.database.address import engine
from blood_hpo.store.storage import StudyStorage

REACH_SECONDS = 0.3
REPEATS = 5
CACHED_SECONDS = 10.5
"""optuna-dashboard asks the storage again when what it holds of a large study is 10 s old."""


class Page:
    """Asks the application what an open page asks, and counts this process's time."""

    def __init__(self, app: WSGIApplication, study_id: int) -> None:
        self._app = app
        self._path = f"/api/studies/{study_id}"

    def ask(self, after: int) -> tuple[float, bytes]:
        """Seconds, and the answer."""
        environ: dict[str, object] = {"PATH_INFO": self._path, "QUERY_STRING": f"after={after}"}
        environ["wsgi.input"] = io.BytesIO()
        setup_testing_defaults(environ)
        begun = time.process_time()
        content = b"".join(self._app(environ, lambda *_: lambda _: None))
        return time.process_time() - begun, content

    def say(self, what: str, after: int, repeats: int, between: float) -> None:
        """Ask repeatedly and print a line: the median of the seconds."""
        found = []
        for _ in range(repeats):
            time.sleep(between)
            found.append(self.ask(after))
        seconds = statistics.median(one for one, _ in found)
        print(f"| {what} | {seconds:.3f} | {len(found[0][1]) / 1e6:.2f} |", flush=True)


def main() -> None:
    """Make the study, time the requests of an open page, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=5000, help="Complete trials.")
    parser.add_argument("--seed", type=int, default=0, help="Of the study.")
    asked = parser.parse_args()
    with home() as (_, url):
        storage = StudyStorage(url, "benchmark")
        study_id = storage.study_id(fill(url, asked.trials, asked.seed))
        noted = _seconds(lambda: refresh_note(storage, study_id, least_seconds=0))
        storage.engine.dispose()
        print(f"SYNTHETIC study of {asked.trials} complete trials; medians; {machine()}")
        print(f"reach: a refresh takes at most {REACH_SECONDS} s, whichever trials still run\n")
        print("| request | CPU s | MB |\n| --- | ---: | ---: |")
        _measure(Page(application(url, Path("report")), study_id), "")
        _start_again(url)
        _measure(Page(application(url, Path("report")), study_id), ", trial 0 still runs")
    print(f"| a worker writes the note, once a minute at most | {noted:.3f} | - |")


def _measure(page: Page, when: str) -> None:
    """Print each request."""
    seconds, content = page.ask(0)
    print(f"| first page after the start{when} | {seconds:.3f} | {len(content) / 1e6:.2f} |")
    known = [trial["state"] for trial in json.loads(content)["trials"]].index("Running")
    page.say(f"refresh within 10 s of another{when}", known, REPEATS, 0)
    page.say(f"refresh{when}", known, REPEATS, CACHED_SECONDS)


def _start_again(url: str) -> None:
    """Have trial 0 run still, so that a page holds no trial as finished."""
    connected = engine(url, "benchmark")
    with connected.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no trigger
        connection.exec_driver_sql(
            "UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE number = 0"
        )
    connected.dispose()


def _seconds(call: Callable[[], object]) -> float:
    begun = time.process_time()
    call()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
