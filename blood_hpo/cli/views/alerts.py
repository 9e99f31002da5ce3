"""What an operator should not miss: each warning says what is wrong and what to do."""

import math
from collections import Counter
from collections.abc import Iterator, Sized

from blood_hpo.cli.output import duration
from blood_hpo.cli.session import Row
from blood_hpo.cli.views.snapshot import Snapshot, Stage

LOW_BYTES = 1_000_000_000
"""Less than that and a checkpoint or a log may not fit."""

NAMED = 3
"""Workers or configurations that are named; the others are counted."""


def alerts(snapshot: Snapshot) -> list[str]:
    """Warnings, the most urgent kind first."""
    found = [line for stage in snapshot.stages for line in _paused(stage)]
    found += [line for stage in snapshot.stages for line in _stale(stage, snapshot.grace_seconds)]
    found += [line for stage in snapshot.stages for line in _failing(stage)]
    found += [line for stage in snapshot.stages for line in _collapsed(stage)]
    if snapshot.free_bytes is not None and snapshot.free_bytes < LOW_BYTES:
        found.append(
            f"{snapshot.free_bytes / 1e6:,.0f} MB are left on the disk of {snapshot.home}: make"
            " room, or checkpoints and logs cannot be written"
        )
    return found


def _paused(stage: Stage) -> Iterator[str]:
    if stage.study["paused"]:
        yield (
            f"{stage.name} is paused ({stage.study['paused']}): go on with"
            f" `blood-hpo study resume {stage.name}`"
        )


def _stale(stage: Stage, grace_seconds: float) -> Iterator[str]:
    found = [row for row in stage.running if _silence(row) > grace_seconds]
    for row in found[:NAMED]:
        silent = _silence(row)
        when = f"{duration(silent)} ago" if math.isfinite(silent) else "never"
        yield (
            f"worker {row['worker']} of trial {row['number']} was last heard of {when}: any other"
            " worker takes the trial over"
        )
    yield from _more(found, f"trials of {stage.name} have silent workers")


def _silence(row: Row) -> float:
    found = row["seconds_since_heartbeat"]
    return math.inf if found is None else float(found)


def _failing(stage: Stage) -> Iterator[str]:
    for row in stage.failing[:NAMED]:
        times = "once" if row["failed"] == 1 else f"{row['failed']} times"
        yield (
            f"{row['family']} trial {row['number']} failed, {times} so far ({row['reason']}): look"
            f" with `blood-hpo trial show {stage.name} {row['number']}`"
        )
    yield from _more(stage.failing, f"configurations of {stage.name} only failed so far")


def _collapsed(stage: Stage) -> Iterator[str]:
    folds = Counter((row["family"], row["number"]) for row in stage.collapsed)
    for (family, number), count in list(folds.items())[:NAMED]:
        yield (
            f"{family} trial {number} learnt nothing on {count} of its folds, so its mean says"
            f" little: look with `blood-hpo trial show {stage.name} {number}`"
        )
    yield from _more(folds, f"trials of {stage.name} have folds that learnt nothing")


def _more(found: Sized, what: str) -> Iterator[str]:
    if len(found) > NAMED:
        yield f"{len(found) - NAMED} more {what}"
