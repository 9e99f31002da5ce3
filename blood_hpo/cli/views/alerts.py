"""What an operator should not miss: each warning says what is wrong and what to do."""

from collections import Counter
from collections.abc import Iterator, Sequence

from blood_hpo.cli.logs import say
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


def _stale(stage: Stage, grace_seconds: float) -> list[str]:
    silent = [(row, row["seconds_since_heartbeat"]) for row in stage.running]
    found = [
        f"worker {row['worker']} of trial {row['number']} was last heard of"
        f" {'never' if seconds is None else f'{duration(seconds)} ago'}: any other worker takes the"
        " trial over"
        for row, seconds in silent
        if seconds is None or seconds > grace_seconds
    ]
    return _some(found, f"trials of {stage.name} have silent workers")


def _failing(stage: Stage) -> list[str]:
    found = [
        f"{row['family']} trial {row['number']} failed, {_times(row['failed'])} so far"
        f" ({row['reason']}): {_look(stage, row['number'])}"
        for row in stage.failing
    ]
    return _some(found, f"configurations of {stage.name} only failed so far")


def _collapsed(stage: Stage) -> list[str]:
    folds = Counter((row["family"], row["number"]) for row in stage.collapsed)
    found = [
        f"{family} trial {number} learnt nothing on {count} of its folds, so its mean says little:"
        f" {_look(stage, number)}"
        for (family, number), count in folds.items()
    ]
    return _some(found, f"trials of {stage.name} have folds that learnt nothing")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _look(stage: Stage, number: int) -> str:
    return f"look with `blood-hpo trial show {stage.name} {number}`"


def _some(found: Sequence[str], of_a_kind: str) -> list[str]:
    """The first few, and how many more there are."""
    more = len(found) - NAMED
    return [*found[:NAMED], *([f"{more} more {of_a_kind}"] if more > 0 else [])]


def shortfalls(snapshot: Snapshot, *, final: bool) -> list[str]:
    """What a study lacks of its budgets when its workers have ended, and why.

    A space that was tried to its end is no fault; it is said. With ``final`` the stages after the
    search were asked for too.
    """
    return [
        line
        for stage in (snapshot.stages if final else snapshot.stages[:1])
        for row in stage.families
        if row["counted"] < row["budget"]
        for line in _lacking(stage, row)
    ]


def _lacking(stage: Stage, row: Row) -> Iterator[str]:
    counted = f"{stage.name}: {row['counted']} of {row['budget']} trials of {row['family']}"
    failing = [one for one in stage.failing if one["family"] == row["family"]]
    if failing:
        yield (
            f"{counted} could be counted ({len(failing)} configurations failed, the last with:"
            f" {failing[0]['reason']}); {_look(stage, failing[0]['number'])}"
        )
    elif row["remaining"]:
        yield f"{counted} were counted; the same command goes on from here"
    else:
        say("%s counted: every configuration of its space was tried", counted)
