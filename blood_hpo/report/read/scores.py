"""All that a report says of one model's predictions: scores, ranks, calibration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blood_hpo import metrics
from blood_hpo.metrics import Labels, Probabilities

CALIBRATION_BINS = 15

SCORES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_auc": "macro AUC",
    "log_loss": "log-loss",
}
"""The scores that have an interval, as people read them, by their name in `Scores`."""


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class; 0 where a denominator is 0, as scikit-learn's ``zero_division=0``.

    Attributes:
        precision: Share of the images predicted to be of this class that are.
        recall: Share of the images of this class that are predicted to be of it.
        f1: Harmonic mean of both.
        support: Images of this class.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Scores:
    """Scores of one set of predictions.

    The metrics are those of :mod:`blood_hpo.metrics`; the calibration error is the expected one of
    `calibration`; there is one entry a class.
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


def all_scores(labels: Labels, probabilities: Probabilities) -> Scores:
    """All scores of one set of predictions.

    Raises:
        ValueError: The shapes do not fit together, or there are no predictions.
    """
    _check(labels, probabilities)
    return Scores(
        accuracy=metrics.accuracy(labels, probabilities),
        balanced_accuracy=metrics.balanced_accuracy(labels, probabilities),
        macro_auc=metrics.macro_auc(labels, probabilities),
        log_loss=metrics.log_loss(labels, probabilities),
        calibration_error=calibration_error(calibration(labels, probabilities)),
        classes=class_scores(labels, probabilities),
    )


def class_scores(labels: Labels, probabilities: Probabilities) -> tuple[ClassScores, ...]:
    """Recall, precision, F1 and support of every class."""
    from sklearn.metrics import precision_recall_fscore_support

    classes, predicted = range(probabilities.shape[1]), probabilities.argmax(axis=1)
    found = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    return tuple(ClassScores(*row) for row in zip(*(one.tolist() for one in found), strict=True))


def ranks(labels: Labels, probabilities: Probabilities) -> NDArray[np.int64]:
    """Place of the true class among the probabilities, from 1, shape (n,).

    Among equal probabilities the lower class comes first, as in the predicted class itself, so that
    rank 1 is exactly a correct prediction.
    """
    true = np.take_along_axis(probabilities, labels[:, None].astype(np.int64), axis=1)
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
    count = len(confidence)
    means = (float(confidence.mean()), float(correct.mean())) if count else (np.nan, np.nan)
    return CalibrationBin(float(low), float(high), count, *means)


def _check(labels: Labels, probabilities: Probabilities) -> None:
    if not len(labels) or probabilities.shape[:1] != labels.shape:
        raise ValueError(
            f"{labels.shape} labels and {probabilities.shape} probabilities do not fit together"
        )
