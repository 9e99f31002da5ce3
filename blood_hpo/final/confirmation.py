"""Which configuration is the best, and which cannot be told from it: the confirmed scores.

A search reports the luckiest of many noisy scores. Here the best few have been run again on fresh
folds, and are compared pair by pair on them. Folds of one data set share training images, so their
scores are not independent; the variance is corrected after Nadeau & Bengio (2003), "Inference for
the Generalization Error", as Bouckaert & Frank (2004) do for repeated cross-validation.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
METHOD = (
    "Student's t over all folds of all splits, variance times 1/n + 1/(folds - 1) for the training"
    " images that folds share (Nadeau & Bengio 2003)"
)

Scores = Sequence[Sequence[float]]
"""The objective on each fold, one inner sequence a split."""


@dataclass(frozen=True)
class Confirmed:
    """A configuration with its scores on fresh folds.

    Attributes:
        trial: Number of the search's trial that found it.
        config_hash: Identity of family and configuration.
        params: What was searched.
        config: The whole configuration.
        parameter_count: Trainable parameters.
        search_score: The search's score.
        search_rank: Place in its family by that score, from 1.
        scores: Scores on the fresh folds.
    """

    trial: int
    config_hash: str
    params: dict[str, object]
    config: dict[str, object]
    parameter_count: int
    search_score: float
    search_rank: int
    scores: Scores


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval and the p-value of its being 0."""

    mean: float
    low: float
    high: float
    p_value: float


def interval(values: NDArray[np.float64], folds: int) -> Interval:
    """The mean of scores, or of differences of paired scores, over folds.

    Args:
        values: One a fold, at least 2.
        folds: Folds of one split: training sets are ``folds - 1`` times as large as test sets.
    """
    from scipy import stats

    count = len(values)
    mean = float(values.mean())
    error = float(np.sqrt(values.var(ddof=1) * (1 / count + 1 / (folds - 1))))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * error
    if error == 0:
        return Interval(mean, mean, mean, p_value=float(mean == 0))
    p_value = float(2 * stats.t.sf(abs(mean) / error, count - 1))
    return Interval(mean, mean - reach, mean + reach, p_value)


def compare(candidates: Sequence[Confirmed]) -> list[dict[str, object]]:
    """Rank the candidates of a family and hold each against the best, as plain values.

    Args:
        candidates: With the same splits and folds, so that scores are paired.

    Returns:
        One entry a candidate, the best first; of equals the better of the search comes first.
    """
    ordered = sorted(candidates, key=lambda one: (-float(np.mean(one.scores)), one.search_rank))
    return [_entry(rank, one, ordered[0]) for rank, one in enumerate(ordered, start=1)]


def _entry(rank: int, one: Confirmed, best: Confirmed) -> dict[str, object]:
    scores, reference = np.array(one.scores), np.array(best.scores)
    mean = interval(scores.ravel(), scores.shape[1])
    behind = interval((reference - scores).ravel(), scores.shape[1])
    is_best = one is best
    return {
        "rank": rank,
        **asdict(one),
        "split_means": scores.mean(axis=1).tolist(),
        "mean": mean.mean,
        "sd": float(scores.std(ddof=1)),
        # No score lies outside 0 to 1, whatever a t-interval of three folds says.
        "low": max(mean.low, 0.0),
        "high": min(mean.high, 1.0),
        "behind": behind.mean,
        "behind_low": None if is_best else behind.low,
        "behind_high": None if is_best else behind.high,
        "p_value": None if is_best else behind.p_value,
        "told_apart": not is_best and behind.p_value < 1 - LEVEL,
    }
