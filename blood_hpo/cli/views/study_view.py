"""How a study stands, for people: families, workers and warnings, in 80 columns or in 200.

Nothing is told by colour alone. Where there is room, bars and sparklines grow.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from blood_hpo.cli.output import GAP, table, window, wrapped
from blood_hpo.cli.session import Row
from blood_hpo.cli.views.charts import bar, sparkline
from blood_hpo.cli.views.snapshot import Snapshot, Stage
from blood_hpo.stages import SEARCH
from blood_hpo.text import duration, rendered

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDE = 120  # columns from which on there is room for long drawings
MOST_WORKERS = 24
NAME_WIDTH = 22  # of a worker, in a narrow window
SEEN_SECONDS = 600.0  # of silence, after which a worker without a trial is shown no more
NAMED = 3  # workers or configurations that warnings name; the others are counted
LOW_BYTES = 1_000_000_000  # on the disk; with less a checkpoint or a log may not fit


def console(*, error: bool = False) -> "Console":
    """Standard output or error, in colour where it is a terminal."""
    from rich.console import Console

    # Names are no markup, and ":100:" in a worker's name is no emoji.
    return Console(stderr=error, highlight=False, markup=False, emoji=False)


def print_view(snapshot: Snapshot) -> None:
    """Print the view once."""
    console().print(view(snapshot, window()), soft_wrap=True)


def view(snapshot: Snapshot, width: int, watched: float | None = None) -> "Text":
    """The whole view in lines that fit; ``watched`` are the seconds since a watch began."""
    found = _title(snapshot, watched)
    gap = GAP if width >= WIDE else " "
    for lines in (_families(snapshot.stages, width, gap), _workers(snapshot.stages, width, gap)):
        found.append("\n".join(["", *lines]))
    warnings = [line for one in alerts(snapshot) for line in wrapped(f"! {one}", width)]
    if warnings:
        found.append("\n".join(["\n", *warnings]), "yellow")
    return found


def alerts(snapshot: Snapshot) -> list[str]:
    """What an operator should not miss, the most urgent kind first."""
    known = {**vars(snapshot), "named": NAMED, "low_bytes": LOW_BYTES}
    return rendered(__package__, "alerts.txt", {"duration": duration}, **known).split("\n")[:-1]


def _title(snapshot: Snapshot, watched: float | None) -> "Text":
    from rich.text import Text

    search = snapshot.stages[0]
    title = Text.assemble((search.name, "bold"))
    left = snapshot.seconds_left
    if snapshot.finished(final=False):
        asked = search.study["stage"] == SEARCH and search.study["spec"].get("final") is not None
        over = not asked or search.study["finished_at"] is not None
        title.append("  finished" if over else "  search finished", style="bold green")
    elif left is not None:
        title.append(f"  about {duration(left)} left")
    if watched is not None:
        title.append(f"  watched for {duration(watched)}")
    label = str(search.study["label"])
    title.append(f"  on {label}", style="bold red" if search.study["synthetic"] else "dim")
    return title


def _families(stages: Sequence[Stage], width: int, gap: str) -> Iterator[str]:
    long, spark = (30, 30) if width >= WIDE else (10, 8)
    rows = [
        (
            f"{stage.label} {row['family']}".strip(),
            # A family with nothing left to try is done, whatever its budget.
            bar(row["counted"], row["counted"] + row["remaining"], long),
            f"{row['counted']}/{row['budget']}",
            *(row["running"], row["pruned"], row["failed"], row["best_score"]),
            sparkline(best_so_far(stage, row), spark),
            duration(row["eta_seconds"]) if row["remaining"] else "done",
        )
        for stage in stages
        for row in stage.families
    ]
    names = ("", "", "done", "run", "pruned", "failed", "best", "so far", "left")
    return table(names, rows, width, gap)


def best_so_far(stage: Stage, family: Row) -> list[float]:
    """The best score after each complete trial of a family, in the order of their end."""
    own = [row for row in stage.improvements if row["family"] == family["family"]]
    ends = [*(row["place"] for row in own[1:]), family["complete"] + 1]
    return [
        row["score"] for row, end in zip(own, ends, strict=False) for _ in range(end - row["place"])
    ]


def _workers(stages: Sequence[Stage], width: int, gap: str) -> Iterator[str]:
    """Workers that hold a trial, and those that just did, each once; none, and no table."""
    rows = [(stage, row) for stage in stages for row in _present(stage)]
    rows.sort(key=lambda one: (one[1]["trial"] is None, one[1]["seconds_since_heartbeat"] or 0))
    latest = dict[str, tuple[Stage, Row]]()
    for stage, row in rows:
        latest.setdefault(row["worker"], (stage, row))
    found = [_worker(stage, row, width) for stage, row in latest.values()]
    if found:
        yield ""
        yield from table(
            list(found[0]), [list(row.values()) for row in found[:MOST_WORKERS]], width, gap
        )
    if len(found) > MOST_WORKERS:
        yield f"and {len(found) - MOST_WORKERS} more"


def _present(stage: Stage) -> Iterator[Row]:
    trials = {row["worker"]: row for row in stage.running}
    idle = dict.fromkeys(("score", "attempt", "seconds_running", "most_epochs"))
    for row in stage.workers:
        trial = trials.get(row["worker"])
        if trial is not None or (row["seconds_since_heartbeat"] or 0) < SEEN_SECONDS:
            yield {**row, **idle, **(trial or {})}


def _worker(stage: Stage, row: Row, width: int) -> dict[str, object]:
    busy, wide = row["trial"] is not None, width >= WIDE
    most = row["most_epochs"] or stage.study["most_epochs"]  # only a retraining has its own
    rate = row["trials_per_hour"]
    shown = {
        "worker": row["worker"] if wide else _short(row["worker"]),
        "heard": duration(row["seconds_since_heartbeat"]),
        "trial": row["trial"],
        "family": f"{stage.label} {row['family']}".strip() if busy else "",
        "epoch": f"{row['epoch'] or 0}/{most}" if busy else None,
        "score": row["score"],
    }
    if wide:
        shown |= {"attempt": row["attempt"], "for": duration(row["seconds_running"])}
    # "or 0", for there is a negative zero.
    an_hour = None if rate is None else f"{rate or 0:.3g}"
    return {**shown, "done": row["finished"], "failed": row["failed"], "an hour": an_hour}


def _short(worker: str) -> str:
    """Host and process, without the random word; the end of it, if that is long."""
    name = worker.rpartition(":")[0] or worker
    return name if len(name) <= NAME_WIDTH else f"…{name[1 - NAME_WIDTH :]}"
