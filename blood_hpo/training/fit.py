"""One fit: a network trained epoch by epoch under early stopping, and resumable after each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blood_hpo.errors import NonFiniteLoss
from blood_hpo.metrics import Objective, confusion, log_loss, score
from blood_hpo.training.epoch import CompiledNetwork, Floats, Indices, NetworkState, Variables
from blood_hpo.training.fold_result import (
    Arrays,
    FoldResult,
    History,
    Rules,
    best_epoch,
    exhausted,
    rounded,
)
from blood_hpo.training.schedule import learning_rates
from blood_hpo.training.seeds import derive


@dataclass(eq=False)
class Fit:
    """A network in training on one set of images; several can share a network and take turns.

    Initial weights, order of the images, dropout and augmentation follow from the seed, in
    [0, 2**32), and the epoch alone. Indices point into the network's images: to train on, to steer
    early stopping, and to score, which steer no training (None: those that steer).

    Attributes:
        history: The figures of the completed epochs.
        best_weights: The variables of the model after the best epoch.
        held_out_probabilities: Predictions for the scored images by these weights, float32
            (n, 8); with no rows before the first epoch or without scored images.
    """

    network: CompiledNetwork
    train: Indices
    validation: Indices
    scored: Indices | None
    rules: Rules
    objective: Objective
    seed: int

    def __post_init__(self) -> None:
        self._scored = np.empty(0, np.int64) if self.scored is None else self.scored
        self.preparation = self.network.preparation(self.train)
        self._state = self.network.initial_state(derive("weights", self.seed))
        self.history = History()
        self.best_weights = self._state.weights
        self.held_out_probabilities = np.empty((0, 8), np.float32)

    @property
    def epoch(self) -> int:
        """Completed epochs."""
        return len(self.history.validation)

    @property
    def best_epoch(self) -> int:
        """The epoch that early stopping would restore now: see `fold_result.best_epoch`."""
        return best_epoch(self.history.validation, self.rules.start_epoch)

    @property
    def stopped(self) -> bool:
        """Whether training is over: all epochs are done, or patience has run out.

        A schedule with an end gains late: patience does not cut it, and early stopping only chooses
        the epoch that is kept.
        """
        rules, values = self.rules, self.history.validation
        cut = not self.network.config.schedule_ends
        over = cut and exhausted(values, rules.start_epoch, rules.patience)
        return over or self.epoch >= rules.epochs

    @property
    def score(self) -> float:
        """The score after the best epoch, of at least one."""
        return (self.history.score or self.history.validation)[self.best_epoch - 1]

    @property
    def held_out_confusion(self) -> NDArray[np.int64]:
        """Scored images by true class (row) and predicted class (column) after the best epoch."""
        return confusion(self.network.labels[self._scored], self.held_out_probabilities)

    def result(self) -> FoldResult:
        """What is known so far, its curves rounded; of a fold that is scored only the first two."""
        watched = ("train_accuracy", "validation_accuracy", "validation_loss")
        shown = ("train_loss", "validation", *(() if len(self._scored) else watched))
        curves = {name: rounded(getattr(self.history, name)) for name in shown}
        held_out = rounded(self.history.score) or None
        return FoldResult(self.score, self.epoch, self.best_epoch, held_out=held_out, **curves)

    def advance(self) -> None:
        """Train one more epoch and score; where it diverges, raise NonFiniteLoss and stay."""
        epoch = self.epoch + 1
        loss, accuracy = self._train_one(epoch)
        state = self.network.state()
        weights = self.network.settled(state, self.preparation, self.train)
        both = np.concatenate([self.validation, self._scored])
        probabilities = self.network.predict(self.preparation, both)
        if not (np.isfinite(loss) and np.isfinite(probabilities).all()):
            raise NonFiniteLoss(epoch)
        self._state = state
        self._record(loss, accuracy, weights, probabilities)

    def _train_one(self, epoch: int) -> tuple[float, float]:
        network, config = self.network, self.network.config
        order = np.random.default_rng(derive("order", self.seed, epoch)).permutation(self.train)
        steps = -(-len(order) // config.batch_size)
        when = {"epoch": epoch, "epochs": self.rules.epochs, "steps": steps}
        rates = learning_rates(config.schedule, network.learning_rate, **when)
        network.load(self._state)
        seed = derive("augmentation", self.seed, epoch)
        return network.train_epoch(self.preparation, order, rates, seed)

    def _record(
        self, loss: float, accuracy: float, weights: Variables, probabilities: Floats
    ) -> None:
        history, split = self.history, len(self.validation)
        history.train_loss.append(loss)
        history.train_accuracy.append(accuracy)
        labels, validation = self.network.labels[self.validation], probabilities[:split]
        history.validation.append(self._scored_on(self.validation, validation))
        history.validation_accuracy.append(score("accuracy", labels, validation))
        history.validation_loss.append(log_loss(labels, validation))
        if len(self._scored):
            history.score.append(self._scored_on(self._scored, probabilities[split:]))
        if self.best_epoch == self.epoch:
            self.best_weights = weights
            self.held_out_probabilities = probabilities[split:]
        history.kept.append(self.score)

    def _scored_on(self, indices: Indices, probabilities: Floats) -> float:
        return score(self.objective, self.network.labels[indices], probabilities)

    def state(self) -> Arrays:
        """Arrays from which ``restore`` continues bit for bit; good for ``numpy.savez``."""
        groups = {**vars(self._state), "best_weights": self.best_weights}
        return {
            **{f"{name}/{i}": one for name, group in groups.items() for i, one in enumerate(group)},
            **{f"history/{name}": np.array(curve) for name, curve in vars(self.history).items()},
            "held_out_probabilities": self.held_out_probabilities,
        }

    def restore(self, arrays: Arrays) -> None:
        """Continue from what ``state`` gave to a fit that was made with the same arguments.

        What does not fit the network is an error here, and not only in training.
        """
        self._state = NetworkState(_group(arrays, "weights"), _group(arrays, "optimizer"))
        self.best_weights = _group(arrays, "best_weights")
        curves = {name: arrays[f"history/{name}"].tolist() for name in vars(self.history)}
        self.history = History(**curves)
        self.held_out_probabilities = arrays["held_out_probabilities"].astype(np.float32)
        self.network.load_weights(self.best_weights)
        self.network.load(self._state)


def _group(arrays: Arrays, name: str) -> Variables:
    count = sum(key.startswith(f"{name}/") for key in arrays)
    return [arrays[f"{name}/{i}"] for i in range(count)]
