"""Run a recorded trial again and hold the scores against each other."""

from collections.abc import Callable
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from blood_hpo.errors import StudyError
from blood_hpo.search.cross_validation import CrossValidation
from blood_hpo.search.dataset import SearchData
from blood_hpo.service.studies import SharedStudy


@dataclass(frozen=True)
class Replay:
    """Recorded and replayed scores of one trial, a value a fold."""

    number: int
    recorded: tuple[float, ...]
    replayed: tuple[float, ...]

    @property
    def same(self) -> bool:
        """Whether every fold scored exactly as recorded."""
        return self.recorded == self.replayed


def finished_trial(study: SharedStudy, number: int) -> FrozenTrial:
    """A trial with recorded scores.

    Raises:
        StudyError: There is no such trial, or it has no scores to compare with.
    """
    trials = study.cached.get_all_trials(study.study_id, deepcopy=False)
    found = next((trial for trial in trials if trial.number == number), None)
    if found is None:
        raise StudyError(
            f"study {study.name!r} has no trial {number}; its trials are 0 to {len(trials) - 1}"
            if trials
            else f"study {study.name!r} has no trials yet"
        )
    if "fold_scores" not in found.user_attrs:
        raise StudyError(
            f"trial {number} is {found.state.name} and recorded no scores; choose a COMPLETE one"
        )
    return found


def replay(
    study: SharedStudy,
    trial: FrozenTrial,
    data: SearchData,
    on_epoch: Callable[[int, float], None],
) -> Replay:
    """Train a recorded trial again, for as many epochs as it was trained for.

    Args:
        study: The trial's study.
        trial: From `finished_trial`.
        data: The study's own data.
        on_epoch: Called with the epoch and the mean score after each.
    """
    attributes = trial.user_attrs
    run = CrossValidation(study.spec, attributes["family"], attributes["config"], data)
    epochs = max(attributes["fold_epochs"])
    while not run.finished and run.epoch < epochs:
        run.advance()
        on_epoch(run.epoch, run.score)
    replayed = tuple(run.results().fold_scores)
    run.close()
    return Replay(trial.number, tuple(attributes["fold_scores"]), replayed)
