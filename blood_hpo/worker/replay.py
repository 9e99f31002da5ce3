"""Run a recorded trial again, to hold its scores against the recorded ones."""

from collections.abc import Callable

from blood_hpo.database.record import TrialRecord, read_trial
from blood_hpo.errors import StudyError
from blood_hpo.search.cross_validation import CrossValidation
from blood_hpo.search.dataset import SearchData
from blood_hpo.store.studies import SharedStudy
from blood_hpo.worker.stage import configuration_of


def finished_trial(study: SharedStudy, number: int) -> TrialRecord:
    """A trial with recorded scores.

    Raises:
        StudyError: There is no such trial, or it has no scores to compare with.
    """
    with study.storage.plain() as connection:
        found = read_trial(connection, study.name, number)
    if found is None:
        raise StudyError(
            f"study {study.name!r} has no trial {number}; see `blood-hpo study show {study.name}`"
        )
    if found.fold_scores is None:
        raise StudyError(
            f"trial {number} is {found.state} and recorded no scores; choose a COMPLETE one"
        )
    return found


def replay(
    study: SharedStudy, trial: TrialRecord, data: SearchData, on_epoch: Callable[[int, float], None]
) -> list[float]:
    """Train a trial from `finished_trial` again, for as many epochs; its score on each fold.

    ``on_epoch`` is called with the epoch and the mean score after each.
    """
    run = CrossValidation(study.spec, configuration_of(trial), data)
    while not run.finished and run.epoch < (trial.epoch or 0):
        run.advance()
        on_epoch(run.epoch, run.score)
    scores = [one.score for one in run.results()]
    run.close()
    return scores
