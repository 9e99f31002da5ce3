"""Words that many packages know: stages of a study, how it is stopped, what an interval needs."""

from typing import Final

SEARCH, CONFIRM, FINAL = "search", "confirm", "final"

STOPPED: Final = "stopped"
"""Why a study is paused whose workers shall leave: epochs end, and trials go back to the queue."""

FEWEST_FOLDS: Final = 5
"""Folds in all splits together below which an interval would say nothing."""


def stage_name(study: str, stage: str) -> str:
    """Name of the study that holds a stage of another one."""
    return f"{study}-{stage}"


def stage_names(study: str) -> tuple[str, str]:
    """Names of the studies that hold the stages of another one, in their order."""
    return stage_name(study, CONFIRM), stage_name(study, FINAL)
