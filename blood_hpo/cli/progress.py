"""Live progress, read from the database: a view on a terminal, a line now and then in a pipe."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from blood_hpo.final.names import FINAL, stage_names

if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy import Engine

    Row = Mapping[str, object]

LINE_SECONDS = 30.0
"""Time between two lines where standard error is not a terminal."""

BAR = 20
MINUTE, HOUR = 60, 3600


class Progress:
    """Shows the progress of a study and its stages on standard error until it is left.

    With ``final`` the study is not done before its last stage is.
    """

    def __init__(
        self,
        connected: "Engine",
        study: str,
        workers: int | None = None,
        *,
        final: bool = False,
    ) -> None:
        from rich.console import Console
        from rich.live import Live

        self._engine = connected
        self._study = study
        self._workers = workers
        self._final = final
        self._started = time.monotonic()
        self._line_at = 0.0
        console = Console(stderr=True)
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def update(self) -> bool:
        """Read and show; True when every budget is spent or closed.

        An outage of the database is shown and waited out: the workers do the same.
        """
        from blood_hpo.errors import DatabaseError

        try:
            rows, running = self._read("progress"), self._read("running")
        except DatabaseError as error:
            self._say(f"database away: {error}")
            return False
        if self._live:
            self._live.update(self._table(rows, running), refresh=True)
        else:
            last = [row["stage"] for row in rows[-1:]]
            latest = [row for row in rows if row["stage"] in last]
            self._say("; ".join(_line(row) for row in latest))
        begun = not self._final or any(row["stage"] == FINAL for row in rows)
        return begun and all(_count(row, "remaining") == 0 for row in rows)

    def _read(self, query: str) -> list["Row"]:
        from blood_hpo.database.query import run_query

        found: list[Row] = []
        for name in (self._study, *stage_names(self._study)):
            stage = name.removeprefix(self._study).removeprefix("-")
            answer = run_query(self._engine, query, study=name)
            rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
            found += [
                {**row, "stage": stage, "family": f"{stage} {row['family']}".strip()}
                for row in rows
            ]
        return found

    def _say(self, line: str) -> None:
        now = time.monotonic()
        if now - self._line_at >= LINE_SECONDS:
            self._line_at = now
            sys.stderr.write(f"{self._study}: {line}\n")

    def _table(self, rows: Sequence["Row"], running: Sequence["Row"]) -> "Table":
        from rich.table import Table

        elapsed = duration(time.monotonic() - self._started)
        table = Table(
            title=f"{self._study}  {elapsed}", title_justify="left", box=None, pad_edge=False
        )
        for name in ("family", "", "done", "running", "pruned", "failed", "best", "left"):
            table.add_column(name, justify="left" if name in {"family", ""} else "right")
        for row in rows:
            table.add_row(*_cells(row))
        for trial in running:
            table.add_row(f"  trial {trial['number']}", _doing(trial))
        return table


def _cells(row: "Row") -> tuple[str, ...]:
    done = _count(row, "complete") + _count(row, "pruned")
    best = row["best_score"]
    return (
        str(row["family"]),
        bar(done, _count(row, "budget")),
        f"{done}/{row['budget']}",
        str(row["running"]),
        str(row["pruned"]),
        str(row["failed"]),
        "-" if best is None else f"{best:.4f}",
        duration(row["eta_seconds"]),
    )


def _doing(trial: "Row") -> str:
    score = trial["score"]
    shown = "" if score is None else f" score {score:.4f}"
    return f"{trial['family']} epoch {trial['epoch'] or 0}{shown}"


def _line(row: "Row") -> str:
    done = _count(row, "complete") + _count(row, "pruned")
    best = row["best_score"]
    return (
        f"{row['family']} {done}/{row['budget']} done, {row['running']} running,"
        f" {row['pruned']} pruned, {row['failed']} failed,"
        f" best {'-' if best is None else f'{best:.4f}'}, {duration(row['eta_seconds'])} left"
    )


def _count(row: "Row", name: str) -> int:
    found = row[name]
    assert isinstance(found, int)
    return found


def bar(done: int, whole: int) -> str:
    """A bar of 20 characters."""
    filled = BAR * done // max(whole, 1)
    return "█" * filled + "░" * (BAR - filled)


def duration(seconds: object) -> str:
    """Seconds as 42 s, 3:07 min or 2:15 h; a dash where nothing is known."""
    if not isinstance(seconds, int | float):
        return "-"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE}:{whole % MINUTE:02d} min"
    return f"{whole // HOUR}:{whole % HOUR // MINUTE:02d} h"
