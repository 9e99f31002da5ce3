"""How a study stands, for people: families, workers and warnings, in 80 columns or in 200.

Nothing is told by colour alone. Where there is room, bars and sparklines grow.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from blood_hpo.cli.views.alerts import alerts
from blood_hpo.cli.views.charts import bar, duration, sparkline
from blood_hpo.cli.views.snapshot import Row, Snapshot, Stage
from blood_hpo.stages import FINAL

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType
    from rich.table import Table
    from rich.text import Text

WIDE = 120
"""Columns from which on there is room for long drawings."""

PLAIN_WIDTH = 1000
"""Columns where no window sets a limit: in a pipe nothing is cut and no line is broken."""

MOST_WORKERS = 24
SEEN_SECONDS = 600.0
"""Silence after which a worker without a trial is shown no more."""


def console(*, error: bool = False) -> "Console":
    """Standard output or error: as wide as the window, or as whatever is written."""
    from rich.console import Console

    # Names are no markup, and ":100:" in a worker's name is no emoji.
    found = Console(stderr=error, highlight=False, markup=False, emoji=False)
    if not found.is_terminal:
        found.width = PLAIN_WIDTH
    return found


def print_parts(*parts: "RenderableType", target: "Console | None" = None) -> None:
    """Print to standard output, without spaces at the ends of lines."""
    shown = target or console()
    with shown.capture() as printed:
        for part in parts:
            shown.print(part, soft_wrap=isinstance(part, str))
    for line in printed.get().splitlines():
        shown.file.write(f"{line.rstrip()}\n")


def print_view(snapshot: Snapshot) -> None:
    """Print the view once."""
    target = console()
    print_parts(view(snapshot, target.width), target=target)


def view(snapshot: Snapshot, width: int, watched: float | None = None) -> "Group":
    """The whole view.

    Args:
        snapshot: What is shown.
        width: Columns of the window.
        watched: Seconds since the watch began, if it is one.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[Text | Table] = [_title(snapshot, watched), _families(snapshot.stages, width)]
    workers = [(stage, row) for stage in snapshot.stages for row in _present(stage)]
    if workers:
        parts += [Text(), _workers(workers, width)]
    found = alerts(snapshot)
    if found:
        parts += [Text(), *(Text(f"! {line}", style="yellow") for line in found)]
    return Group(*parts)


def _title(snapshot: Snapshot, watched: float | None) -> "Text":
    from rich.text import Text

    search = snapshot.stages[0]
    title = Text(search.name, style="bold")
    left = snapshot.seconds_left
    if snapshot.finished(final=False):
        title.append("  finished", style="bold green")
    elif left is not None:
        title.append(f"  about {duration(left)} left")
    if watched is not None:
        title.append(f"  watched for {duration(watched)}")
    label = str(search.study["label"])
    title.append(f"  on {label}", style="bold red" if search.study["synthetic"] else "dim")
    return title


def _families(stages: Sequence[Stage], width: int) -> "Table":
    long, spark = (30, 30) if width >= WIDE else (10, 8)
    table = _grid(width)
    for name in ("", "", "done", "run", "pruned", "failed", "best", "so far", "left"):
        table.add_column(name, justify="left" if name in {"", "so far"} else "right", no_wrap=True)
    for stage in stages:
        for row in stage.families:
            table.add_row(
                f"{stage.label} {row['family']}".strip(),
                # A family with nothing left to try is done, whatever its budget.
                bar(row["counted"], row["counted"] + row["remaining"], long),
                f"{row['counted']}/{row['budget']}",
                str(row["running"]),
                str(row["pruned"]),
                str(row["failed"]),
                "-" if row["best_score"] is None else f"{row['best_score']:.4f}",
                sparkline(best_so_far(stage, row), spark),
                duration(row["eta_seconds"]) if row["remaining"] else "done",
            )
    return table


def best_so_far(stage: Stage, family: Row) -> list[float]:
    """The best score after each complete trial of a family, in the order of their end."""
    own = [row for row in stage.improvements if row["family"] == family["family"]]
    ends = [*(row["place"] for row in own[1:]), family["complete"] + 1]
    return [
        row["score"] for row, end in zip(own, ends, strict=False) for _ in range(end - row["place"])
    ]


def _present(stage: Stage) -> Iterable[Row]:
    """Workers that hold a trial, with what is known of it, and those that just did."""
    trials = {row["worker"]: row for row in stage.running}
    for row in stage.workers:
        trial = trials.get(row["worker"])
        if trial is not None or (row["seconds_since_heartbeat"] or 0) < SEEN_SECONDS:
            yield {**row, "score": None, "attempt": 1, "seconds_running": None, **(trial or {})}


def _workers(found: Sequence[tuple[Stage, Row]], width: int) -> "Table":
    wide = width >= WIDE
    table = _grid(width)
    table.add_column("worker", no_wrap=True, overflow="ellipsis")
    more = ("attempt", "for") if wide else ()
    for name in ("heard", "trial", "family", "epoch", "score", *more, "done", "failed", "an hour"):
        table.add_column(name, justify="left" if name == "family" else "right", no_wrap=True)
    for stage, row in found[:MOST_WORKERS]:
        busy = row["trial"] is not None
        label = f"{stage.label} {row['family']}".strip() if busy else ""
        rest = (str(row["attempt"]) if busy else "-", duration(row["seconds_running"]))
        rate = row["trials_per_hour"]
        table.add_row(
            _worker(row["worker"], wide=wide),
            f"{duration(row['seconds_since_heartbeat'])}",
            str(row["trial"]) if busy else "-",
            label,
            _epoch(stage, row) if busy else "-",
            "-" if row["score"] is None else f"{row['score']:.4f}",
            *(rest if wide else ()),
            str(row["finished"]),
            str(row["failed"]),
            "-" if rate is None else f"{rate or 0:.3g}",  # there is a negative zero
        )
    if len(found) > MOST_WORKERS:
        table.add_row(f"and {len(found) - MOST_WORKERS} more")
    return table


def _epoch(stage: Stage, row: Row) -> str:
    """The epoch, and of how many, where all trials of a stage have the same number."""
    epoch = row["epoch"] or 0
    return str(epoch) if stage.label == FINAL else f"{epoch}/{stage.study['most_epochs']}"


def _worker(name: str, *, wide: bool) -> str:
    """Host, process and random word; in a narrow window without the word."""
    return name if wide else name.rpartition(":")[0] or name


def _grid(width: int) -> "Table":
    from rich.table import Table

    gap = 2 if width >= WIDE else 1
    return Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
