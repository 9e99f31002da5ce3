"""Recovery of trials whose worker died; every worker is a janitor before it claims."""

import logging
import math

from blood_hpo.settings import Settings
from blood_hpo.store.storage import StudyStorage

log = logging.getLogger(__name__)


def recover_stale_trials(
    storage: StudyStorage, study_id: int, settings: Settings, *, at_once: bool = False
) -> list[int]:
    """Fail trials that were silent for the grace time and enqueue their configurations again.

    A worker whose own grace time is longer is judged by that. Several janitors may race on one
    trial: the first transaction wins and there is one retry. None judges anybody until the grace
    time after its process was started, or could not reach the database: perhaps nobody could, and
    the others have not been given the time to be heard again. ``at_once`` has it judge all the
    same, as when a person asks. Gives the numbers of those trials.
    """
    reachable = math.inf if at_once else storage.reachable_seconds()
    recovered = []
    for trial in storage.stale(study_id, settings.grace_seconds):
        if reachable < trial.grace:
            continue
        reason = (
            f"worker {trial.worker} was not heard of for {trial.grace:g} s"
            f" (attempt {trial.attempt} of {settings.max_attempts})"
        )
        retry = trial.attempt < settings.max_attempts
        judged = {"worker": trial.worker, "retry": retry, "grace_seconds": trial.grace}
        if storage.fail(study_id, trial.trial_id, reason, **judged):
            log.warning("trial %d: %s%s", trial.number, reason, "" if retry else "; given up")
            recovered.append(trial.number)
    return recovered
