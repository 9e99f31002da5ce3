"""How good predicted probabilities are, from the probabilities and the true classes alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer]
"""True classes, shape (n,), from 0 to classes - 1."""

Probabilities = NDArray[np.floating]
"""Predicted probabilities, shape (n, classes); rows sum to 1."""

CALIBRATION_BINS = 15


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class; 0 where a denominator is 0, as scikit-learn's ``zero_division=0``.

    Attributes:
        recall: Share of the images of this class that are predicted to be of it.
        precision: Share of the images predicted to be of this class that are.
        f1: Harmonic mean of both.
        support: Images of this class.
    """

    recall: float
    precision: float
    f1: float
    support: int


@dataclass(frozen=True)
class Scores:
    """Scores of one set of predictions.

    Attributes:
        accuracy: Share of correct predictions.
        balanced_accuracy: Mean recall over the classes that occur.
        macro_auc: Mean over the classes of the one-vs-rest area under the ROC curve, as MedMNIST
            computes it; NaN where a class does not occur.
        log_loss: Mean negative natural logarithm of the true class's probability.
        calibration_error: Expected calibration error; see `calibration`.
        classes: One entry a class.
    """

    accuracy: float
    balanced_accuracy: float
    macro_auc: float
    log_loss: float
    calibration_error: float
    classes: tuple[ClassScores, ...]


@dataclass(frozen=True)
class CalibrationBin:
    """Predictions of similar confidence.

    Attributes:
        low: Lower end of the bin; confidences lie in (low, high].
        high: Upper end.
        count: Predictions in the bin.
        confidence: Their mean highest probability; NaN in an empty bin.
        accuracy: The share of them that is correct; NaN in an empty bin.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def scores(labels: Labels, probabilities: Probabilities) -> Scores:
    """All scores of one set of predictions.

    Raises:
        ValueError: The shapes do not fit together, or there are no predictions.
    """
    _check(labels, probabilities)
    matrix = confusion(labels, probabilities)
    classes = class_scores(matrix)
    present = [one.recall for one in classes if one.support]
    return Scores(
        accuracy=float(np.trace(matrix) / matrix.sum()),
        balanced_accuracy=float(np.mean(present)),
        macro_auc=macro_auc(labels, probabilities),
        log_loss=log_loss(labels, probabilities),
        calibration_error=calibration_error(calibration(labels, probabilities)),
        classes=classes,
    )


def confusion(labels: Labels, probabilities: Probabilities) -> NDArray[np.int64]:
    """Counts (classes, classes): row is the true class, column the predicted one."""
    from sklearn.metrics import confusion_matrix

    classes = range(probabilities.shape[1])
    found: NDArray[np.int64] = confusion_matrix(
        labels, probabilities.argmax(axis=1), labels=classes
    )
    return found


def class_scores(matrix: NDArray[np.integer]) -> tuple[ClassScores, ...]:
    """Recall, precision, F1 and support of every class of a confusion matrix."""
    hits = np.diagonal(matrix).astype(float)
    support, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    recall = hits / np.maximum(support, 1)
    precision = hits / np.maximum(predicted, 1)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    return tuple(
        ClassScores(float(r), float(p), float(f), int(n))
        for r, p, f, n in zip(recall, precision, f1, support, strict=True)
    )


def macro_auc(labels: Labels, probabilities: Probabilities) -> float:
    """Mean one-vs-rest area under the ROC curve; NaN where a class does not occur."""
    from sklearn.metrics import roc_auc_score

    classes = probabilities.shape[1]
    if set(np.unique(labels)) != set(range(classes)):
        return float("nan")
    areas = [roc_auc_score(labels == one, probabilities[:, one]) for one in range(classes)]
    return float(np.mean(areas))


def log_loss(labels: Labels, probabilities: Probabilities) -> float:
    """Mean negative logarithm of the true class's probability.

    Probabilities below the smallest step of their number type count as that step, so that one
    confident mistake does not make the mean infinite.
    """
    smallest = np.finfo(probabilities.dtype).eps
    chosen = np.clip(_of_true_class(labels, probabilities).astype(np.float64), smallest, 1.0)
    return float(-np.log(chosen).mean())


def ranks(labels: Labels, probabilities: Probabilities) -> NDArray[np.int64]:
    """Place of the true class among the probabilities, from 1, shape (n,).

    Among equal probabilities the lower class comes first, as in the predicted class itself, so that
    rank 1 is exactly a correct prediction.
    """
    true = _of_true_class(labels, probabilities)[:, None]
    before = np.arange(probabilities.shape[1])[None, :] < labels[:, None]
    ahead = (probabilities > true) | ((probabilities == true) & before)
    places: NDArray[np.int64] = ahead.sum(axis=1) + 1
    return places


def rank_counts(labels: Labels, probabilities: Probabilities) -> tuple[int, ...]:
    """Images whose true class has rank 1, 2, and so on to the last."""
    places = ranks(labels, probabilities)
    return tuple(np.bincount(places, minlength=probabilities.shape[1] + 1)[1:].tolist())


def calibration(
    labels: Labels, probabilities: Probabilities, bins: int = CALIBRATION_BINS
) -> tuple[CalibrationBin, ...]:
    """Confidence against accuracy in ``bins`` intervals of equal width from 0 to 1.

    The confidence of a prediction is its highest probability; the bins are open below and closed
    above, as in Guo et al., "On Calibration of Modern Neural Networks" (2017).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    return tuple(
        _bin(edges[one], edges[one + 1], confidence[place == one], correct[place == one])
        for one in range(bins)
    )


def calibration_error(bins: tuple[CalibrationBin, ...]) -> float:
    """Mean distance of confidence and accuracy, each bin weighed by its predictions."""
    total = sum(one.count for one in bins)
    gaps = [one.count * abs(one.confidence - one.accuracy) for one in bins if one.count]
    return float(sum(gaps) / total)


def _bin(
    low: float, high: float, confidence: NDArray[np.float64], correct: NDArray[np.bool_]
) -> CalibrationBin:
    if not len(confidence):
        return CalibrationBin(float(low), float(high), 0, float("nan"), float("nan"))
    return CalibrationBin(
        float(low), float(high), len(confidence), float(confidence.mean()), float(correct.mean())
    )


def _of_true_class(labels: Labels, probabilities: Probabilities) -> NDArray[np.floating]:
    chosen: NDArray[np.floating] = probabilities[np.arange(len(labels)), labels.astype(np.int64)]
    return chosen


def _check(labels: Labels, probabilities: Probabilities) -> None:
    if not len(labels) or probabilities.shape[:1] != labels.shape:
        raise ValueError(
            f"{labels.shape} labels and {probabilities.shape} probabilities do not fit together"
        )
