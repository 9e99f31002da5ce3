"""The search as a stage: cross-validated trials, proposed by the sampler, stopped by the pruner."""

from blood_hpo.search.cross_validation import CrossValidation
from blood_hpo.search.dataset import SearchData
from blood_hpo.search.pruner import build_pruner, should_prune
from blood_hpo.service.budget import Busy, Claim, Claims, Finished, Paused
from blood_hpo.service.outage import ERRORS, Waiting, transient
from blood_hpo.service.stage import Ending, Note, Run
from blood_hpo.service.studies import SharedStudy
from blood_hpo.service.trial_pictures import SHOWN, pictures_of_folds


class SearchStage:
    """Trials of the search on one worker."""

    def __init__(self, study: SharedStudy, data: SearchData, worker: str) -> None:
        self.study = study
        self.worker = worker
        self._data = data
        self._claims = Claims(study, worker)
        self._pruner = build_pruner(study.spec.pruner)

    def claim(self, stop: Waiting) -> Claim | Paused | Busy | Finished:
        """Take the trial that the sampler proposes for the family with most budget left."""
        return self._claims.claim(stop)

    def start(self, claim: Claim) -> CrossValidation:
        """Begin to train one configuration on all folds."""
        return CrossValidation(self.study.spec, claim.family, claim.config, self._data)

    def should_prune(self, claim: Claim, run: Run) -> bool:
        """Ask the pruner, which knows the trials of the same family."""
        return should_prune(self._pruner, self._claims.views[claim.family], run.reports())

    def end(self, claim: Claim, run: Run, _note: Note) -> Ending:
        """The scores of the folds, and their mean; pictures of one of the best."""
        assert isinstance(run, CrossValidation)
        attributes = run.results().attributes()
        if not self._shown(claim, run):
            return Ending(run.score, attributes)
        title = f"{claim.family}, trial {claim.number}"
        return Ending(run.score, attributes, pictures_of_folds(title, attributes))

    def _shown(self, claim: Claim, run: CrossValidation) -> bool:
        """Whether the trial is worth the time that its pictures take."""
        if not run.finished:  # pruned
            return False
        try:
            return self.study.storage.among_best(claim.trial_id, run.score, SHOWN)
        except ERRORS as error:
            if not transient(error):
                raise
            return True  # whoever ends the trial waits for the database
