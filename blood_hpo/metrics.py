"""How good predicted probabilities are: the one definition of each metric, for every package."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Objective = Literal["accuracy", "balanced_accuracy", "macro_auc"]

Labels = NDArray[np.integer]
"""True classes, shape (n,), from 0 to classes - 1."""

Probabilities = NDArray[np.floating]
"""Predicted probabilities, shape (n, classes); rows sum to 1."""


def score(objective: Objective, labels: Labels, probabilities: Probabilities) -> float:
    """What a study maximises, in [0, 1]; higher is better."""
    of = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy, "macro_auc": macro_auc}
    return of[objective](labels, probabilities)


def accuracy(labels: Labels, probabilities: Probabilities) -> float:
    """Share of images whose most probable class is the true one; of equal ones the lower counts."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def balanced_accuracy(labels: Labels, probabilities: Probabilities) -> float:
    """Mean recall over the classes that occur in ``labels``."""
    counts = confusion(labels, probabilities)
    support = counts.sum(axis=1)
    return float(np.mean(counts.diagonal()[support > 0] / support[support > 0]))


def macro_auc(labels: Labels, probabilities: Probabilities) -> float:
    """Mean over all classes of the one-vs-rest area under the ROC curve; NaN where one is missing.

    Equal to that of MedMNIST's evaluator.
    """
    from sklearn.metrics import roc_auc_score

    one_hot = np.eye(probabilities.shape[1])[labels]
    if not one_hot.any(axis=0).all():
        return float("nan")
    return float(roc_auc_score(one_hot, probabilities, average="macro"))


def log_loss(labels: Labels, probabilities: Probabilities) -> float:
    """Mean of the `log_losses`."""
    return float(log_losses(labels, probabilities).mean())


def log_losses(labels: Labels, probabilities: Probabilities) -> NDArray[np.float64]:
    """Negative natural logarithm of each true class's probability; 0 is perfect.

    Probabilities below the resolution of their type (1.2e-7 of float32) count as that, so that one
    confident mistake does not make the mean infinite. It is scikit-learn's choice: a softmax in
    float32 cannot say anything surer about the winning class either.
    """
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return np.asarray(-np.log(np.maximum(true, np.finfo(probabilities.dtype).eps)))


def confusion(labels: Labels, probabilities: Probabilities) -> NDArray[np.int64]:
    """Counts (classes, classes): the row is the true class, the column the most probable one."""
    from sklearn.metrics import confusion_matrix

    predicted, classes = probabilities.argmax(axis=1), range(probabilities.shape[1])
    return np.asarray(confusion_matrix(labels, predicted, labels=classes))
