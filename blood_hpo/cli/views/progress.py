"""Live progress, read from the database: a view on a terminal, a line now and then in a pipe."""

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from blood_hpo.cli.logs import for_people, say
from blood_hpo.cli.views.snapshot import Snapshot, read
from blood_hpo.cli.views.study_view import console, view
from blood_hpo.errors import DatabaseError
from blood_hpo.text import duration

if TYPE_CHECKING:
    from sqlalchemy import Engine

LINE_SECONDS = 30.0  # between two lines where standard error is not a terminal


class Progress(ExitStack):
    """Shows on standard error how a study, with ``final`` up to its last stage, goes on."""

    def __init__(self, connected: "Engine", study: str, *, final: bool = False) -> None:
        from rich.live import Live

        super().__init__()
        self._engine, self._study, self._final = connected, study, final
        self._started = time.monotonic()
        self._line_at = float("-inf")
        window = console(error=True)
        drawn = Live(console=window, auto_refresh=False) if window.is_terminal else None
        self._live = self.enter_context(drawn) if drawn and for_people() else None
        window.show_cursor()  # which a second Ctrl-C would leave hidden

    def update(self) -> bool:
        """Read and show; True when every budget is spent or closed.

        An outage of the database is shown and waited out: the workers do the same.
        """
        try:
            found = read(self._engine, self._study)
        except DatabaseError as error:
            self._say(f"database away: {error}")
            return False
        if self._live:
            watched = time.monotonic() - self._started
            self._live.update(view(found, self._live.console.width, watched), refresh=True)
        else:
            self._say(line(found))
        return found.finished(final=self._final)

    def _say(self, words: str) -> None:
        now = time.monotonic()
        if now - self._line_at >= LINE_SECONDS:
            self._line_at = now
            say("%s: %s", self._study, words)


def line(snapshot: Snapshot) -> str:
    """The first stage with something left to do, or else the latest, in one line."""
    left = (one for one in snapshot.stages if any(row["remaining"] for row in one.families))
    stage, paused = next(left, snapshot.stages[-1]), snapshot.stages[0].study["paused"]
    said = "{family} {counted}/{budget} done, {running} running, {pruned} pruned, {failed} failed"
    families = "; ".join(
        f"{stage.label} {said.format(**row)}, best"
        f" {'-' if row['best_score'] is None else format(row['best_score'], '.4f')},"
        f" {duration(row['eta_seconds']) + ' left' if row['remaining'] else 'done'}".strip()
        for row in stage.families
    )
    return f"{families}; paused: {paused}" if paused else families
