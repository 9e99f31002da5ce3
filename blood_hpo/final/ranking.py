"""Which configuration wins on fresh folds, and which can be separated from the best.

The best mean of several is the luckiest, so holding each rival against it errs far more often than
a single test says. Here the level is shared among all pairs of candidates (Bonferroni), any of
which chance might have made the largest difference: among configurations that are equal, at most
5 % of families separate any two, whatever their variances. Hsu's
comparison with the best promises less: it may call one of several equals behind.

Folds of one data set share training images, so their scores are not independent. The variance is
corrected after Nadeau & Bengio (2003), "Inference for the Generalization Error", as Bouckaert &
Frank (2004) do for repeated cross-validation: two folds are taken to correlate by 1/folds.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blood_hpo.report.read.candidates import Standing
from blood_hpo.stages import FEWEST_FOLDS

LEVEL = 0.95
Scores = NDArray[np.float64]


def compare(
    scores: Scores, parameter_counts: Sequence[int], collapsed: Sequence[bool]
) -> list[Standing]:
    """Hold the candidates of a family against their best.

    Args:
        scores: The objective, 0 to 1, of shape (candidates, splits, folds), on the same folds for
            all, so that they are paired; at least two folds in all.
        parameter_counts: Trainable parameters of each candidate.
        collapsed: Whether any fold of the candidate has learnt nothing.

    Returns:
        One entry a candidate, in the order given.
    """
    values = scores.reshape(len(scores), -1)
    means, folds, enough = values.mean(axis=1), scores.shape[2], values.shape[1] >= FEWEST_FOLDS
    order = np.argsort(-means, kind="stable")
    ranks = np.argsort(order) + 1
    behind = values[order[0]] - values
    p_values = adjusted_p_values(behind, folds)
    separable = (p_values < 1 - LEVEL) & enough
    close = np.flatnonzero(~separable) if enough else order[:1]
    winner = min(close, key=lambda one: (collapsed[one], parameter_counts[one], ranks[one]))
    own, apart = mean_intervals(values, folds), difference_intervals(behind, folds)
    return [
        Standing(
            rank=int(ranks[one]),
            mean=float(means[one]),
            sd=float(values[one].std(ddof=1)),
            low=float(own[0, one]) if enough else None,
            high=float(own[1, one]) if enough else None,
            behind=float(behind[one].mean()),
            behind_low=float(apart[0, one]) if enough and ranks[one] > 1 else None,
            behind_high=float(apart[1, one]) if enough and ranks[one] > 1 else None,
            p_value=float(p_values[one]) if enough and ranks[one] > 1 else None,
            separable=bool(separable[one]),
            winner=bool(one == winner),
        )
        for one in range(len(values))
    ]


def adjusted_p_values(behind: Scores, folds: int) -> Scores:
    """Two-sided p-values of mean differences to the best, times the pairs of candidates.

    The differences are (..., candidates, n), with so many folds a split; the p-values
    (..., candidates), 1 for the best itself.
    """
    from scipy import stats

    mean, error = behind.mean(axis=-1), standard_errors(behind, folds)
    distance = np.where(mean == 0, 0, np.abs(mean) / np.maximum(error, np.finfo(float).tiny))
    p_values = 2 * stats.t.sf(distance, behind.shape[-1] - 1)
    return np.asarray(np.minimum(p_values * _pairs(behind.shape[-2]), 1))


def standard_errors(values: Scores, folds: int) -> Scores:
    """Of the means over the last axis, with the correction for training images that folds share."""
    factor = 1 / values.shape[-1] + 1 / (folds - 1)
    return np.asarray(np.sqrt(values.var(axis=-1, ddof=1) * factor))


def mean_intervals(values: Scores, folds: int) -> Scores:
    """95 % intervals (2, candidates) of the means of scores (candidates, n).

    They are symmetric on the logit scale, where the standard error is divided by m (1 - m) (delta
    method), so that they stay between 0 and 1; at 0 and 1 themselves they have no width.
    """
    mean = values.mean(axis=1)
    slope = np.maximum(mean * (1 - mean), np.finfo(float).tiny)
    reach = _quantile(1, values.shape[1]) * standard_errors(values, folds) / slope
    # mean / (mean + (1 - mean) e^r) is the inverse logit of logit(mean) - r.
    factor = np.exp(np.minimum(reach, 700))
    return np.stack([mean / (mean + (1 - mean) * factor), mean / (mean + (1 - mean) / factor)])


def difference_intervals(behind: Scores, folds: int) -> Scores:
    """Simultaneous 95 % intervals (2, candidates) of mean differences, cut at -1 and 1.

    An interval excludes 0 exactly where the adjusted p-value is below 5 %.
    """
    mean = behind.mean(axis=1)
    reach = _quantile(_pairs(len(behind)), behind.shape[1]) * standard_errors(behind, folds)
    return np.stack([np.maximum(mean - reach, -1), np.minimum(mean + reach, 1)])


def _pairs(candidates: int) -> int:
    return max(candidates * (candidates - 1) // 2, 1)


def _quantile(tests: int, count: int) -> float:
    from scipy import stats

    return float(stats.t.isf((1 - LEVEL) / 2 / tests, count - 1))
