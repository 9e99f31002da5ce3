"""What each test image adds to a score, so that every score is a mean over images."""

import numpy as np
from numpy.typing import NDArray

from blood_hpo import metrics
from blood_hpo.metrics import Labels, Probabilities

Contributions = NDArray[np.float64]
"""One an image, shape (n,); their mean is the score."""


def contributions(labels: Labels, probabilities: Probabilities) -> dict[str, Contributions]:
    """Of every score that an interval is given for, by its name in `scores.Scores`.

    Accuracy and log-loss are means as they are. Balanced accuracy and macro AUC are means over
    classes: there an image adds the score and its influence on it, to first order (infinitesimal
    jackknife; Efron & Tibshirani 1993, "An Introduction to the Bootstrap"). Macro AUC
    is left out where a class does not occur. So is the calibration error, whose bootstrap is
    biased: images drawn twice look less calibrated.
    """
    correct = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    present = np.unique(labels).tolist()
    recalls = sum(_influence(labels == one, correct) for one in present) / len(present)
    found = {
        "accuracy": correct,
        "balanced_accuracy": metrics.balanced_accuracy(labels, probabilities) + recalls,
        "log_loss": -np.log(np.maximum(true, np.finfo(probabilities.dtype).eps)),
    }
    classes = probabilities.shape[1]
    if len(present) == classes:
        areas = sum(_of_area(labels == one, probabilities[:, one]) for one in present) / classes
        found["macro_auc"] = metrics.macro_auc(labels, probabilities) + areas
    return found


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
