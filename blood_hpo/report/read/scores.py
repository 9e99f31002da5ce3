"""All that a report says of one model's predictions: scores, ranks, calibration, intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blood_hpo import metrics
from blood_hpo.metrics import Labels, Probabilities

CALIBRATION_BINS = 15

Contributions = NDArray[np.float64]
"""What each image adds to a score, shape (n,); their mean is the score."""

SCORES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_auc": "macro AUC",
    "log_loss": "log-loss",
}
"""The scores that have an interval, as people read them, by their name in `Scores`."""


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class, 0 where a denominator is 0; the support counts its images."""

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
    """Predictions whose highest probability lies in (low, high].

    Their mean confidence and the share of them that is correct are NaN where there are none.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def all_scores(labels: Labels, probabilities: Probabilities) -> Scores:
    """All scores of one set of predictions."""
    return Scores(
        **{name: getattr(metrics, name)(labels, probabilities) for name in SCORES},
        calibration_error=calibration_error(calibration(labels, probabilities)),
        classes=_class_scores(labels, probabilities),
    )


def _class_scores(labels: Labels, probabilities: Probabilities) -> tuple[ClassScores, ...]:
    from sklearn.metrics import precision_recall_fscore_support

    classes, predicted = range(probabilities.shape[1]), probabilities.argmax(axis=1)
    found = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    return tuple(ClassScores(*row) for row in zip(*(one.tolist() for one in found), strict=True))


def ranks(labels: Labels, probabilities: Probabilities) -> NDArray[np.int64]:
    """Place of the true class among the probabilities, from 1, shape (n,).

    Among equal probabilities the lower class comes first, as in the predicted class itself, so that
    rank 1 is exactly a correct prediction.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    return np.asarray(np.argmax(order == labels[:, None], axis=1) + 1)


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
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):  # an empty bin has no means
        means = [np.bincount(place, one, bins) / count for one in (confidence, correct)]
    columns = (edges[:-1], edges[1:], count, *means)
    rows = zip(*(one.tolist() for one in columns), strict=True)
    return tuple(CalibrationBin(*row) for row in rows)


def calibration_error(bins: tuple[CalibrationBin, ...]) -> float:
    """Mean distance of confidence and accuracy, each bin weighed by its predictions."""
    total = sum(one.count for one in bins)
    gaps = [one.count * abs(one.confidence - one.accuracy) for one in bins if one.count]
    return float(sum(gaps) / total)


def contributions(labels: Labels, probabilities: Probabilities) -> dict[str, Contributions]:
    """Of every score that an interval is given for, by its name in `scores.Scores`.

    Accuracy and log-loss are means as they are. Balanced accuracy and macro AUC are means over
    classes, each of which occurs: there an image adds the score and its influence on it, to first
    order (infinitesimal jackknife; Efron & Tibshirani 1993, "An Introduction to the Bootstrap").
    The calibration error is left out, whose bootstrap is biased: images drawn twice look less
    calibrated.
    """
    correct = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    classes = range(probabilities.shape[1])
    recalls = sum(_influence(labels == one, correct) for one in classes) / len(classes)
    areas = sum(_of_area(labels == one, probabilities[:, one]) for one in classes) / len(classes)
    return {
        "accuracy": correct,
        "balanced_accuracy": metrics.balanced_accuracy(labels, probabilities) + recalls,
        "log_loss": metrics.log_losses(labels, probabilities),
        "macro_auc": metrics.macro_auc(labels, probabilities) + areas,
    }


def _influence(members: NDArray[np.bool_], values: Contributions) -> Contributions:
    """Of each image on the mean over some of them, times the number of images."""
    share = members.mean()
    return np.asarray(np.where(members, values - values[members].mean(), 0) / share)


def _of_area(positive: NDArray[np.bool_], score: NDArray[np.floating]) -> Contributions:
    """Influence on the area under a ROC curve, times the number of images.

    The area is the mean over the positive images of the share of negative ones that they are ranked
    above, and the mean over the negative ones of the share of positive ones above them; both depend
    on both (DeLong et al. 1988, "Comparing the areas under two or more correlated receiver
    operating characteristic curves").
    """
    from scipy.stats import rankdata

    ranks, above = rankdata(score), np.empty(len(score))
    within = rankdata(score[positive]), rankdata(score[~positive])
    above[positive] = (ranks[positive] - within[0]) / (~positive).sum()
    above[~positive] = 1 - (ranks[~positive] - within[1]) / positive.sum()
    return _influence(positive, above) + _influence(~positive, above)
