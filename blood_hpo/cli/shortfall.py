"""What a run could not count of the budgets that it was given, and why."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from blood_hpo.cli.logs import say
from blood_hpo.cli.session import Row
from blood_hpo.cli.views.snapshot import Stage, read

if TYPE_CHECKING:
    from sqlalchemy import Engine


def shortfalls(connected: "Engine", study: str, *, final: bool) -> list[str]:
    """What a study lacks when its workers have ended.

    A space that was tried to its end is no fault; it is said.

    Args:
        connected: The database.
        study: Name of the search.
        final: Whether its later stages were asked for too.
    """
    from blood_hpo.settings import settings

    stages = read(connected, study, settings()).stages
    return [
        line
        for stage in (stages if final else stages[:1])
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
