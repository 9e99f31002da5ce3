"""The objectives a study can maximise, computed from predicted probabilities."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from blood_hpo.errors import InputError

Objective = Literal["accuracy", "balanced_accuracy", "macro_auc"]


def score(
    objective: Objective, labels: NDArray[np.uint8], probabilities: NDArray[np.float32]
) -> float:
    """How well the probabilities match the labels, in [0, 1]; higher is better.

    Args:
        objective: "accuracy"; "balanced_accuracy", the mean recall over the classes that occur in
            ``labels``; or "macro_auc", the mean one-vs-rest area under the ROC curve over all
            classes.
        labels: True classes, shape (n,).
        probabilities: Predicted probabilities, shape (n, classes), rows sum to 1.

    Raises:
        InputError: "macro_auc" is asked for, and a class does not occur in ``labels``.
    """
    predicted = probabilities.argmax(axis=1)
    if objective == "accuracy":
        return float(np.mean(predicted == labels))
    from sklearn import metrics

    if objective == "balanced_accuracy":
        return float(metrics.balanced_accuracy_score(labels, predicted))
    missing = set(range(probabilities.shape[1])) - set(labels.tolist())
    if missing:
        raise InputError(
            f"no scored image is of class {', '.join(map(str, sorted(missing)))}, and macro_auc "
            "needs all; use more of the data or another objective"
        )
    one_hot = np.eye(probabilities.shape[1])[labels]
    return float(metrics.roc_auc_score(one_hot, probabilities, average="macro"))


def log_loss(labels: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> float:
    """Mean negative logarithm of the probability given to the true class; 0 is perfect.

    Args:
        labels: True classes, shape (n,).
        probabilities: Predicted probabilities, shape (n, classes); those of float32 zero count as
            the smallest normal number, so that one hopeless image does not make the mean infinite.
    """
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(true, np.finfo(np.float32).tiny)).mean())


def confusion(labels: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
    """Counts (classes, classes): the row is the true class, the column the most probable one."""
    from sklearn.metrics import confusion_matrix

    classes = range(probabilities.shape[1])
    found: NDArray[np.int64] = confusion_matrix(
        labels, probabilities.argmax(axis=1), labels=classes
    )
    return found
