"""One model trained on the whole training split, early stopping on the validation split."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blood_hpo.data.bloodmnist import DataSource, Split, load_split
from blood_hpo.database.record import TrialRecord
from blood_hpo.metrics import Objective
from blood_hpo.training.epoch import CompiledNetwork
from blood_hpo.training.fit import Fit
from blood_hpo.training.history import FoldResult, TrainingRules
from blood_hpo.training.preparation import Preparation
from blood_hpo.worker.stage import Arrays, configuration_of


@dataclass(frozen=True)
class FinalData:
    """The training and the validation split; the test split is not here."""

    train: Split
    validation: Split


def final_data(source: DataSource) -> FinalData:
    """Load both splits.

    Raises:
        DataError: The data set cannot be read.
    """
    return FinalData(load_split(source, "train"), load_split(source, "validation"))


class Retraining:
    """A retraining in progress.

    Attributes:
        epochs: Most epochs of it.
    """

    def __init__(self, claim: TrialRecord, data: FinalData, objective: Objective) -> None:
        self._started = time.monotonic()
        epochs, patience, start_epoch = claim.most_epochs, claim.patience, claim.start_epoch
        assert epochs is not None
        assert patience is not None
        assert start_epoch is not None
        images = np.concatenate([data.train.images, data.validation.images])
        labels = np.concatenate([data.train.labels, data.validation.labels])
        config = configuration_of(claim).hyperparameters
        self._network = CompiledNetwork(claim.family, config, images, labels)
        self._validation = np.arange(len(data.train), len(labels), dtype=np.int64)
        self._fit = Fit(
            self._network,
            train_indices=np.arange(len(data.train), dtype=np.int64),
            validation_indices=self._validation,
            scored_indices=None,
            rules=TrainingRules(epochs, patience, start_epoch, objective),
            seed=claim.seed,
        )
        self.epochs = epochs

    @property
    def epoch(self) -> int:
        """Completed epochs."""
        return self._fit.epoch

    @property
    def finished(self) -> bool:
        """Whether early stopping or the last epoch has ended it."""
        return self._fit.stopped

    def advance(self) -> None:
        """Train one more epoch.

        Raises:
            NonFiniteLoss: The training loss is not a finite number.
        """
        self._fit.advance()

    def reports(self) -> dict[int, float]:
        """The validation score after each epoch."""
        return dict(enumerate(self._fit.history.validation, start=1))

    @property
    def score(self) -> float:
        """The validation score of the weights that are kept."""
        return self._fit.score

    @property
    def weights(self) -> list[npt.NDArray[np.generic]]:
        """The variables of the network that are kept."""
        return self._fit.best_weights

    @property
    def preparation(self) -> Preparation:
        """Scaling and class weights, from the training split."""
        return self._fit.preparation

    @property
    def parameter_count(self) -> int:
        """Trainable parameters."""
        return self._network.parameter_count

    def validation_probabilities(self) -> npt.NDArray[np.float32]:
        """What the kept weights predict for the validation split, (n, 8)."""
        self._network.load_weights(self.weights)
        return self._network.predict(self.preparation, self._validation)

    @property
    def seconds(self) -> float:
        """Wall time so far, of this process."""
        return round(time.monotonic() - self._started, 3)

    def result(self) -> FoldResult:
        """What is known about the training."""
        return self._fit.result()

    def state(self) -> Arrays:
        """Everything needed to go on in another process."""
        return self._fit.state()

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Go on from a `state`; the result is the same as without the interruption."""
        self._fit.restore(dict(arrays))

    def close(self) -> None:
        """Free the network's memory; the object cannot be used afterwards."""
        self._network.close()
