"""The objectives a study can maximise, computed from predicted probabilities."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
        ValueError: "macro_auc" is asked for, and a class does not occur in ``labels``.
    """
    predicted = probabilities.argmax(axis=1)
    if objective == "accuracy":
        return float(np.mean(predicted == labels))
    from sklearn import metrics

    if objective == "balanced_accuracy":
        return float(metrics.balanced_accuracy_score(labels, predicted))
    one_hot = np.eye(probabilities.shape[1])[labels]
    return float(metrics.roc_auc_score(one_hot, probabilities, average="macro"))
