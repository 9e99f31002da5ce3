"""Recovery of trials whose worker died; every worker is a janitor before it claims."""

import logging
import math

from blood_hpo.store.storage import StudyStorage

log = logging.getLogger(__name__)


def recover_stale_trials(
    storage: StudyStorage,
    study_id: int,
    *,
    grace_seconds: float,
    max_attempts: int,
    at_once: bool = False,
) -> list[int]:
    """Fail trials that have not been heard of and enqueue their configurations again.

    Several janitors may race on one trial: the first transaction wins and there is one retry. None
    judges anybody until the grace time after its process was started, or could not reach the
    database: perhaps nobody could, and the others have not been given the time to be heard again.

    Args:
        storage: The study's storage.
        study_id: Optuna's key of the study.
        grace_seconds: Silence after which a worker counts as dead, at least; with another grace
            time of its own, its own.
        max_attempts: Attempts of one configuration; after the last it fails for good.
        at_once: Whether to judge all the same, as when a person asks.

    Returns:
        Numbers of the trials that this call has failed.
    """
    reachable = math.inf if at_once else storage.reachable_seconds()
    recovered = []
    for trial in storage.stale(study_id, grace_seconds):
        if reachable < trial.grace:
            continue
        reason = (
            f"worker {trial.worker} was not heard of for {trial.grace:g} s"
            f" (attempt {trial.attempt} of {max_attempts})"
        )
        retry = trial.attempt < max_attempts
        judged = {"worker": trial.worker, "retry": retry, "grace_seconds": trial.grace}
        if storage.fail(study_id, trial.trial_id, reason, **judged):
            log.warning("trial %d: %s%s", trial.number, reason, "" if retry else "; given up")
            recovered.append(trial.number)
    return recovered
