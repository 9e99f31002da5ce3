"""What a training measures, when it ends, and which epoch is kept; nothing here computes.

Early stopping is Keras's EarlyStopping, read off the validation curve alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.generic]]
"""What `numpy.savez` can save."""


@dataclass(frozen=True)
class Rules:
    """When a training ends: see `TrainingSpec` of a study file."""

    epochs: int
    patience: int
    start_epoch: int


@dataclass
class History:
    """One number an epoch; ``score`` stays empty where no images are scored.

    ``validation`` and ``score`` are the objective, ``validation_loss`` is the plain cross-entropy
    (no smoothing, no class weights), and ``kept`` is `Fit.score` as it stood after each epoch.
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class FoldResult:
    """What the database keeps of a training, or of one fold; curves have an element an epoch.

    Attributes:
        score: `Fit.score` with the weights of ``best_epoch``.
        epochs: Epochs that it was trained for.
        best_epoch: Epoch whose weights early stopping restored, from 1.
        train_loss: Mean training loss.
        validation: Score on the validation split, which early stopping watches.
        held_out: Objective on the held-out fold; None in a retraining.
        train_accuracy: Accuracy on the training images; like the next two in a retraining alone.
        validation_accuracy: On the validation split.
        validation_loss: On the validation split.
    """

    score: float
    epochs: int
    best_epoch: int
    train_loss: Sequence[float]
    validation: Sequence[float]
    held_out: Sequence[float] | None = None
    train_accuracy: Sequence[float] | None = None
    validation_accuracy: Sequence[float] | None = None
    validation_loss: Sequence[float] | None = None


def best_epoch(values: Sequence[float], start_epoch: int) -> int:
    """The epoch, from 1, whose weights early stopping would restore now; 0 before the first.

    After ``start_epoch`` it is the first with the highest validation score; before, the last one.

    >>> best_epoch([0.9, 0.5, 0.7, 0.7], start_epoch=1)
    3
    """
    watched = values[start_epoch:]
    return start_epoch + 1 + watched.index(max(watched)) if watched else len(values)


def exhausted(values: Sequence[float], start_epoch: int, patience: int) -> bool:
    """Whether ``patience`` watched epochs, at least 1, have passed without a new best.

    >>> exhausted([0.9, 0.5, 0.7, 0.7], start_epoch=1, patience=1)
    True
    """
    return len(values) - best_epoch(values, start_epoch) >= patience


def rounded(curve: Sequence[float]) -> list[float]:
    """Six digits are beyond the noise of any curve and halve its size in the database."""
    return [float(f"{value:.6g}") for value in curve]
