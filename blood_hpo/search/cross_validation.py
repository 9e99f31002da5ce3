"""One configuration on all folds, advanced together: every report is their mean at one epoch.

Reported fold after fold, a configuration that is good on the first fold and bad on the others would
never be pruned: Optuna's pruners compare equal steps, and those of later folds have no history.
"""

from typing import cast

import numpy as np

from blood_hpo.models.configuration import Configuration
from blood_hpo.search.dataset import SearchData
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.training.epoch import CompiledNetwork
from blood_hpo.training.fit import Fit
from blood_hpo.training.fold_result import Rules
from blood_hpo.training.lock_step import LockStep
from blood_hpo.training.seeds import derive


class CrossValidation(LockStep):
    """A trial in progress: one network definition, one fit a fold."""

    def __init__(self, spec: StudySpec, one: Configuration, data: SearchData) -> None:
        network = CompiledNetwork(one.family, one.hyperparameters, data.images, data.labels)
        given = spec.training
        rules = Rules(given.epochs, given.patience, given.start_epoch)
        fits = [
            Fit(
                network,
                train=fold.train,
                validation=data.validation,
                scored=fold.held_out,
                rules=rules,
                objective=spec.objective,
                seed=derive(spec.seed, one.config_hash, number),
            )
            for number, fold in enumerate(data.folds)
        ]
        super().__init__(network, fits, rules.epochs)

    def reports(self) -> dict[int, float]:
        """The value of `score` after each epoch so far, as a retried trial must report it again."""
        by_fold = [fit.history.kept for fit in self._fits]
        return {
            epoch: float(np.mean([held[min(epoch, len(held)) - 1] for held in by_fold]))
            for epoch in range(1, self.epoch + 1)
        }

    @property
    def confusion(self) -> list[list[int]]:
        """Images of all held-out folds, each by the model that has not seen it.

        Counts by true class (outer list) and predicted class.
        """
        counts = [fit.held_out_confusion for fit in self._fits]
        return cast("list[list[int]]", np.sum(counts, axis=0).tolist())
