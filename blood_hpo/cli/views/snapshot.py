"""Everything that an operator wants to know about a study, read from the database at one time."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from blood_hpo.cli.logs import say
from blood_hpo.cli.session import Row, ask, settings, study_data
from blood_hpo.stages import FINAL, stage_names

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True)
class Stage:
    """A search, or one of the stages that follow it, which then is its label.

    The study is a row of the query ``described``, families are those of ``progress``, and all
    others hold the rows of the query whose name they have.
    """

    label: str
    study: Row
    families: Sequence[Row]
    running: Sequence[Row]
    workers: Sequence[Row]
    improvements: Sequence[Row]
    failing: Sequence[Row]
    collapsed: Sequence[Row]

    @property
    def name(self) -> str:
        """Of the study."""
        return str(self.study["study"])

    def silent(self, seconds: float) -> list[Row]:
        """Running trials that were not heard of for so long, or never."""
        heard = [(row, row["seconds_since_heartbeat"]) for row in self.running]
        return [row for row, ago in heard if ago is None or ago > seconds]


@dataclass(frozen=True)
class Snapshot:
    """A study: the search, then those stages that have begun."""

    stages: Sequence[Stage]
    grace_seconds: float  # of silence, after which a worker counts as gone
    free_bytes: int | None  # where checkpoints and logs are kept, if any are yet
    home: Path

    def finished(self, *, final: bool) -> bool:
        """Whether every budget is spent or closed, with ``final`` those of the last stage too.

        A stage that nobody has begun within the grace time is not waited for.
        """
        if any(row["remaining"] for one in self.stages for row in one.families):
            return False
        last = self.stages[-1]
        if not final or (last.label == FINAL and last.families):
            return True
        ended = last.study["last_activity_at"] or last.study["created_at"]
        return bool((datetime.now(UTC) - ended).total_seconds() > self.grace_seconds)

    @property
    def seconds_left(self) -> float | None:
        """Estimated time to the end of the stages that have begun; None where nothing is known."""
        left = [
            [row["eta_seconds"] for row in one.families if row["remaining"]] for one in self.stages
        ]
        if any(seconds is None for stage in left for seconds in stage):
            return None
        return float(sum(max(stage, default=0.0) for stage in left))


def read(engine: "Engine", study: str) -> Snapshot:
    """Look at a study and its stages; a StudyError where there is no such study."""
    found = [_stage(engine, "", study_data(engine, study))]
    for name in stage_names(study):
        rows = ask(engine, "described", study=name)
        if rows:
            found.append(_stage(engine, name.removeprefix(f"{study}-"), rows[0]))
    home = settings().home
    free = shutil.disk_usage(home).free if home.is_dir() else None
    return Snapshot(tuple(found), settings().grace_seconds, free, home)


def _stage(engine: "Engine", label: str, study: Row) -> Stage:
    asked = ("running", "workers", "improvements", "failing", "collapsed")
    name = study["study"]
    rows = {query: ask(engine, query, study=name) for query in asked}
    return Stage(label, study, ask(engine, "progress", study=name), **rows)


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
            f" {failing[0]['reason']}); look with"
            f" `blood-hpo trial show {stage.name} {failing[0]['number']}`"
        )
    elif row["remaining"]:
        yield f"{counted} were counted; the same command goes on from here"
    else:
        say("%s counted: every configuration of its space was tried", counted)
