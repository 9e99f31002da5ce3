"""Words of a study that many rooms know: its stages, how it is stopped, how a winner is called."""

from typing import Final

CONFIRM, FINAL = "confirm", "final"

STOPPED: Final = "stopped"
"""Why a study is paused whose workers shall leave: epochs end, and trials go back to the queue."""

FEWEST_FOLDS: Final = 5
"""Folds in all splits together below which an interval would say nothing."""

METHOD: Final = (
    "Student's t over all folds of all splits, variance times 1/n + 1/(folds - 1) for the training"
    " images that folds share (Nadeau & Bengio 2003); means on the logit scale; differences to the"
    " best corrected for all pairs of candidates (Bonferroni)"
)
WINNER_RULE: Final = (
    "Of the configurations that cannot be separated from the best mean, those without a collapsed"
    " fold first, the one with the fewest trainable parameters wins, then the better mean. With"
    f" fewer than {FEWEST_FOLDS} folds in all nothing can be separated, and the best mean wins."
    " What the smaller network costs here is how far its mean is behind. In simulations of five"
    " candidates of random size on three splits of three folds it was on average 1.40 standard"
    " deviations of a fold's score worse than the best candidate, and the best mean 0.15"
    " (benchmarks/winner.py)."
)


def stage_name(study: str, stage: str) -> str:
    """Name of the study that holds a stage of another one."""
    return f"{study}-{stage}"


def stage_names(study: str) -> tuple[str, str]:
    """Names of the studies that hold the stages of another one, in their order."""
    return stage_name(study, CONFIRM), stage_name(study, FINAL)
