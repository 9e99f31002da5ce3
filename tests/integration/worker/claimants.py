"""Workers that claim without training; TensorFlow, which each would import, stays away."""

import random
import threading

from optuna.trial import TrialState

from blood_hpo.database.record import TrialRecord
from blood_hpo.store.results import Ending
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy, open_study
from blood_hpo.worker.claims import Claims, Finished

STOP = threading.Event().wait


def run_to_the_end(url: str, worker: str, seed: int) -> None:
    """A worker without training: random scores, a tenth pruned, a tenth failed."""
    study = open_study(StudyStorage(url, worker), "small")
    claims, dice = Claims(study, worker), random.Random(seed)
    pause_between_polls = threading.Event()
    while not isinstance(found := claims.claim(STOP), Finished):
        if isinstance(found, TrialRecord):
            end_somehow(study, worker, found, dice)
        else:
            pause_between_polls.wait(0.02)


def end_somehow(study: SharedStudy, worker: str, claim: TrialRecord, dice: random.Random) -> None:
    chance = dice.random()
    if chance < 0.1:
        study.storage.fail(study.study_id, claim.trial_id, "dice", worker=worker, retry=True)
    else:
        state = TrialState.PRUNED if chance < 0.2 else TrialState.COMPLETE
        study.storage.end(claim.trial_id, worker, state, Ending(dice.random()))
