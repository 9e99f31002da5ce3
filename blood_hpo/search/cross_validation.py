"""One configuration on all folds, advanced together: one epoch on each fold, then one report.

Reported fold after fold, a configuration that is good on the first fold and bad on the others is
never pruned: Optuna's pruners compare equal steps, and the steps of later folds have no history.
In lock-step every report is the mean over the folds at one epoch.
"""

import time
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from blood_hpo.models.configuration import Configuration
from blood_hpo.search.dataset import SearchData
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.training.epoch import CompiledNetwork
from blood_hpo.training.fit import Fit
from blood_hpo.training.history import FoldResult, TrainingRules
from blood_hpo.training.seeds import derive

Arrays = dict[str, npt.NDArray[np.generic]]


class CrossValidation:
    """A trial in progress: one network definition, one fit a fold, all at the same epoch.

    Attributes:
        epochs: Most epochs that a fold is trained for.
    """

    def __init__(self, spec: StudySpec, one: Configuration, data: SearchData) -> None:
        self._started = time.monotonic()
        self._network = CompiledNetwork(one.family, one.hyperparameters, data.images, data.labels)
        given = spec.training
        rules = TrainingRules(given.epochs, given.patience, given.start_epoch, spec.objective)
        self._fits = [
            Fit(
                self._network,
                train_indices=fold.train,
                validation_indices=data.validation,
                scored_indices=fold.held_out,
                rules=rules,
                seed=derive(spec.seed, one.config_hash, number),
            )
            for number, fold in enumerate(data.folds)
        ]
        self.epochs = rules.epochs

    @property
    def epoch(self) -> int:
        """Epochs that the longest-running fold has completed."""
        return max(fit.epoch for fit in self._fits)

    @property
    def finished(self) -> bool:
        """Whether every fold has stopped."""
        return all(fit.stopped for fit in self._fits)

    def advance(self) -> None:
        """Train every fold that has not stopped for one epoch; a stopped fold holds its score.

        Raises:
            NonFiniteLoss: A fold's training loss is not a finite number.
        """
        for fit in self._fits:
            if not fit.stopped:
                fit.advance()

    @property
    def score(self) -> float:
        """Mean over the folds of the score that early stopping would keep now."""
        return float(np.mean([fit.score for fit in self._fits]))

    def reports(self) -> dict[int, float]:
        """The value of `score` after each epoch so far, as a retried trial must report it again."""
        by_fold = [fit.history.kept for fit in self._fits]
        return {
            epoch: float(np.mean([held[min(epoch, len(held)) - 1] for held in by_fold]))
            for epoch in range(1, self.epoch + 1)
        }

    def results(self) -> list[FoldResult]:
        """What is known so far of each fold, for the database."""
        return [fit.result() for fit in self._fits]

    @property
    def confusion(self) -> list[list[int]]:
        """Images of all held-out folds, each by the model that has not seen it.

        Counts by true class (outer list) and predicted class.
        """
        counts = np.sum([fit.held_out_confusion for fit in self._fits], axis=0)
        return [[int(count) for count in row] for row in counts]

    @property
    def seconds(self) -> float:
        """Wall time so far, of this process, validation included."""
        return round(time.monotonic() - self._started, 3)

    @property
    def parameter_count(self) -> int:
        """Trainable parameters of the network."""
        return self._network.parameter_count

    def state(self) -> Arrays:
        """Everything needed to go on in another process, as arrays that numpy can save."""
        return {
            f"{number}/{name}": array
            for number, fit in enumerate(self._fits)
            for name, array in fit.state().items()
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Go on from a `state`; the result is the same as without the interruption."""
        for number, fit in enumerate(self._fits):
            prefix = f"{number}/"
            fit.restore(
                {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            )

    def close(self) -> None:
        """Free the network's memory; the object cannot be used afterwards."""
        self._network.close()
