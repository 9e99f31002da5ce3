"""One model trained on the whole training split, early stopping on the validation split."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blood_hpo.data.bloodmnist import DataSource, Split, load_split
from blood_hpo.database.record import TrialRecord
from blood_hpo.metrics import Objective
from blood_hpo.training.epoch import CompiledNetwork
from blood_hpo.training.fit import Fit
from blood_hpo.training.fold_result import TrainingRules
from blood_hpo.training.lock_step import LockStep
from blood_hpo.training.preparation import Preparation
from blood_hpo.worker.stage import configuration_of


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


class Retraining(LockStep):
    """A retraining in progress."""

    def __init__(self, claim: TrialRecord, data: FinalData, objective: Objective) -> None:
        rules = TrainingRules(*_given(claim), objective)
        images = np.concatenate([data.train.images, data.validation.images])
        labels = np.concatenate([data.train.labels, data.validation.labels])
        config = configuration_of(claim).hyperparameters
        network = CompiledNetwork(claim.family, config, images, labels)
        self._validation = np.arange(len(data.train), len(labels), dtype=np.int64)
        self._fit = Fit(
            network,
            train_indices=np.arange(len(data.train), dtype=np.int64),
            validation_indices=self._validation,
            scored_indices=None,
            rules=rules,
            seed=claim.seed,
        )
        super().__init__(network, [self._fit], rules.epochs)

    def reports(self) -> dict[int, float]:
        """The validation score after each epoch."""
        return dict(enumerate(self._fit.history.validation, start=1))

    @property
    def weights(self) -> list[npt.NDArray[np.generic]]:
        """The variables of the network that are kept."""
        return self._fit.best_weights

    @property
    def preparation(self) -> Preparation:
        """Scaling and class weights, from the training split."""
        return self._fit.preparation

    def validation_probabilities(self) -> npt.NDArray[np.float32]:
        """What the kept weights predict for the validation split, (n, 8)."""
        self._network.load_weights(self.weights)
        return self._network.predict(self.preparation, self._validation)


def _given(claim: TrialRecord) -> tuple[int, int, int]:
    """Most epochs, patience and first watched epoch: every retraining has them."""
    assert claim.most_epochs is not None
    assert claim.patience is not None
    assert claim.start_epoch is not None
    return claim.most_epochs, claim.patience, claim.start_epoch
