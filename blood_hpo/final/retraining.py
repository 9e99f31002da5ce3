"""One model trained on the whole training split, early stopping on the validation split."""

import numpy as np
from numpy.typing import NDArray

from blood_hpo.data.bloodmnist import Split
from blood_hpo.database.record import TrialRecord
from blood_hpo.metrics import Objective
from blood_hpo.training.epoch import CompiledNetwork
from blood_hpo.training.fit import Fit
from blood_hpo.training.fold_result import Rules
from blood_hpo.training.lock_step import LockStep
from blood_hpo.worker.stage import configuration_of


class Retraining(LockStep):
    """A retraining in progress."""

    def __init__(
        self, claim: TrialRecord, train: Split, validation: Split, objective: Objective
    ) -> None:
        rules = Rules(claim.most_epochs or 0, claim.patience or 0, claim.start_epoch or 0)
        images = np.concatenate([train.images, validation.images])
        labels = np.concatenate([train.labels, validation.labels])
        config = configuration_of(claim).hyperparameters
        network = CompiledNetwork(claim.family, config, images, labels)
        self._validation = np.arange(len(train), len(labels), dtype=np.int64)
        self.fit = Fit(
            network,
            train=np.arange(len(train), dtype=np.int64),
            validation=self._validation,
            scored=None,
            rules=rules,
            objective=objective,
            seed=claim.seed,
        )
        super().__init__(network, [self.fit], rules.epochs)

    def reports(self) -> dict[int, float]:
        """The validation score after each epoch."""
        return dict(enumerate(self.fit.history.validation, start=1))

    def validation_probabilities(self) -> NDArray[np.float32]:
        """What the kept weights predict for the validation split, (n, 8)."""
        self._network.load_weights(self.fit.best_weights)
        return self._network.predict(self.fit.preparation, self._validation)
