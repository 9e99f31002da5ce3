"""Cross-validated trials: the search as a stage of a worker, and a recorded trial run again."""

from collections.abc import Callable
from functools import partial

from blood_hpo.dashboard.trial_pictures import SHOWN, pictures_of_folds
from blood_hpo.database.record import TrialRecord, read_trial
from blood_hpo.errors import StudyError
from blood_hpo.search.cross_validation import CrossValidation
from blood_hpo.search.dataset import SearchData
from blood_hpo.search.pruner import build_pruner, should_prune
from blood_hpo.store.outage import unless_away
from blood_hpo.store.results import Ending, Results
from blood_hpo.store.studies import SharedStudy
from blood_hpo.worker.claims import Claims
from blood_hpo.worker.stage import OpenTest, Run, configuration_of


class SearchStage:
    """Trials of the search on one worker."""

    def __init__(self, study: SharedStudy, data: SearchData, worker: str) -> None:
        self.study = study
        self.worker = worker
        self._data = data
        self._claims = Claims(study, worker)
        self.claim = self._claims.claim
        self._pruner = build_pruner(study.spec.pruner)

    def start(self, claim: TrialRecord) -> CrossValidation:
        """Begin to train one configuration on all folds."""
        return CrossValidation(self.study.spec, configuration_of(claim), self._data)

    def should_prune(self, claim: TrialRecord, run: Run) -> bool:
        """Ask the pruner, which knows the trials of the same family."""
        if self.study.spec.pruner.name == "none":
            return False
        return should_prune(self._pruner, self._claims.known(claim.family), run.reports())

    def end(self, claim: TrialRecord, run: Run, _open_test: OpenTest) -> Ending:
        """The scores of the folds, and their mean; pictures of one of the best."""
        assert isinstance(run, CrossValidation)
        results = results_of_folds(run)
        among_best = partial(self.study.storage.among_best, claim.trial_id, run.score, SHOWN)
        # Else it is pruned, or not worth the time. Whoever ends it waits for an absent database.
        if not (run.finished and unless_away(among_best, True)):
            return Ending(run.score, results)
        title = f"{claim.family}, trial {claim.number}"
        return Ending(run.score, results, pictures_of_folds(title, results))


def results_of_folds(run: CrossValidation) -> Results:
    """What a cross-validated trial measured."""
    return Results(run.results(), run.seconds, run.parameter_count, run.confusion)


def finished_trial(study: SharedStudy, number: int) -> TrialRecord:
    """A trial with recorded scores; where there is none of that number, a StudyError."""
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
