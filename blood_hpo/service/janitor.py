"""Recovery of trials whose worker died; every worker is a janitor before it claims."""

import logging

from blood_hpo.service.storage import StudyStorage

log = logging.getLogger(__name__)


def recover_stale_trials(
    storage: StudyStorage, study_id: int, *, grace_seconds: float, max_attempts: int
) -> list[int]:
    """Fail trials that have not been heard of and enqueue their configurations again.

    Several janitors may race on one trial: the first transaction wins and there is one retry.

    Args:
        storage: The study's storage.
        study_id: Optuna's key of the study.
        grace_seconds: Silence after which a worker counts as dead.
        max_attempts: Attempts of one configuration; after the last it fails for good.

    Returns:
        Numbers of the trials that this call has failed.
    """
    recovered = []
    for trial_id in storage.stale(study_id, grace_seconds):
        try:
            trial = storage.get_trial(trial_id)
        except KeyError:  # deleted with its study
            continue
        attempt = int(trial.user_attrs.get("attempt", 1))
        retry = attempt < max_attempts
        reason = (
            f"worker {trial.user_attrs.get('worker')} was not heard of for {grace_seconds:g} s"
            f" (attempt {attempt} of {max_attempts})"
        )
        why = {"reason": reason, "failure": "lost"}
        if storage.fail_stale(trial_id, why, grace_seconds=grace_seconds, retry=retry):
            log.warning("trial %d: %s%s", trial.number, reason, "" if retry else "; given up")
            recovered.append(trial.number)
    return recovered
