"""One configuration on all folds, advanced together: one epoch on each fold, then one report.

Reported fold after fold, a configuration that is good on the first fold and bad on the others is
never pruned: Optuna's pruners compare equal steps, and the steps of later folds have no history.
In lock-step every report is the mean over the folds at one epoch.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from blood_hpo.models.hyperparameters import config_hash
from blood_hpo.models.registry import family as registered
from blood_hpo.search.dataset import SearchData
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.training.epoch import CompiledNetwork
from blood_hpo.training.fit import Fit, TrainingRules
from blood_hpo.training.seeds import derive

Arrays = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class FoldResults:
    """What a trial leaves in the database besides its score; lists hold one entry a fold.

    Attributes:
        fold_scores: Score on the held-out fold at the epoch that early stopping restores.
        fold_epochs: Epochs trained.
        fold_best_epochs: That epoch, counted from 1.
        epochs_trained: Epochs trained on all folds together.
        parameter_count: Trainable parameters of the network.
        curves: ``train_loss``, ``validation`` and ``score`` by fold and epoch.
        held_out_confusion: Images of all held-out folds together, each by the model that has not
            seen it: counts by true class (outer list) and predicted class.
        seconds: Wall-clock seconds spent in this process, validation included.
    """

    fold_scores: list[float]
    fold_epochs: list[int]
    fold_best_epochs: list[int]
    epochs_trained: int
    parameter_count: int
    curves: dict[str, list[list[float]]]
    held_out_confusion: list[list[int]]
    seconds: float

    def attributes(self) -> dict[str, object]:
        """The same as user attributes of an Optuna trial."""
        return asdict(self)


class CrossValidation:
    """A trial in progress: one network definition, one fit a fold, all at the same epoch.

    Attributes:
        epochs: Most epochs that a fold is trained for.
    """

    def __init__(
        self, spec: StudySpec, family: str, config: Mapping[str, object], data: SearchData
    ) -> None:
        hyperparameters = registered(family).hyperparameters.model_validate(config)
        self._started = time.monotonic()
        self._network = CompiledNetwork(family, hyperparameters, data.images, data.labels)
        rules = TrainingRules(
            epochs=spec.training.epochs,
            patience=spec.training.patience,
            start_epoch=spec.training.start_epoch,
            objective=spec.objective,
        )
        identity = config_hash(family, hyperparameters)
        self._fits = [
            Fit(
                self._network,
                train_indices=fold.train,
                validation_indices=data.validation,
                scored_indices=fold.held_out,
                rules=rules,
                seed=derive(spec.seed, identity, number),
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

    def results(self) -> FoldResults:
        """What is known so far, for the database."""
        histories = [fit.history for fit in self._fits]
        epochs = [fit.epoch for fit in self._fits]
        return FoldResults(
            fold_scores=[fit.score for fit in self._fits],
            fold_epochs=epochs,
            fold_best_epochs=[fit.best_epoch for fit in self._fits],
            epochs_trained=sum(epochs),
            parameter_count=self._network.parameter_count,
            curves={
                "train_loss": [_rounded(one.train_loss) for one in histories],
                "validation": [_rounded(one.validation) for one in histories],
                "score": [_rounded(one.score) for one in histories],
            },
            held_out_confusion=np.sum(
                [fit.held_out_confusion for fit in self._fits], axis=0
            ).tolist(),
            seconds=round(time.monotonic() - self._started, 3),
        )

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


def _rounded(curve: list[float]) -> list[float]:
    """Six digits are beyond the noise of any curve and halve its size in the database."""
    return [float(f"{value:.6g}") for value in curve]
