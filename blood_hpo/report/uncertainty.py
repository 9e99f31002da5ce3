"""How sure a number is: bootstrap intervals, spread over seeds, and a test between two models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blood_hpo.metrics import Labels

RESAMPLES = 2000
LEVEL = 0.95
BOOTSTRAP_SEED = 20_230_119

Correct = NDArray[np.bool_]
"""Whether each prediction is correct, shape (n,)."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval; the ends are NaN where there are too few values."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (NaN for a single value) of what seeds gave."""

    mean: float
    sd: float
    count: int


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test of two models on the same images.

    Attributes:
        only_first: Images that only the first model classifies correctly.
        only_second: Images that only the second does.
        p_value: Probability of a split at least this uneven if both were equally good, two-sided.
    """

    only_first: int
    only_second: int
    p_value: float


def bootstrap(
    labels: Labels, correct: NDArray[np.floating] | Correct, resamples: int = RESAMPLES
) -> Mapping[str, Interval]:
    """Percentile intervals of accuracy and balanced accuracy, ``{"accuracy": ..., ...}``.

    The bootstrap is stratified: every resample draws, with replacement, as many images of each
    class as the test split has, so that the class mix of the split is taken as given. It is seeded:
    the same predictions give the same interval.

    Args:
        labels: True classes, shape (n,).
        correct: Whether each image is classified correctly, or the share of a model's seeds that
            classify it correctly, shape (n,).
        resamples: How often to draw.
    """
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    groups = [correct[labels == one].astype(np.float64) for one in np.unique(labels)]
    sizes = np.array([len(group) for group in groups])
    recalls = np.stack(
        [generator.choice(group, (resamples, len(group))).mean(axis=1) for group in groups], axis=1
    )
    rates = np.array([group.mean() for group in groups])
    return {
        "accuracy": _percentiles(float(rates @ sizes / sizes.sum()), recalls @ sizes / sizes.sum()),
        "balanced_accuracy": _percentiles(float(rates.mean()), recalls.mean(axis=1)),
    }


def spread(values: Sequence[float]) -> Spread:
    """Mean and sample standard deviation.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("a spread needs at least one value")
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return Spread(float(np.mean(values)), sd, len(values))


def mcnemar(first: Correct, second: Correct) -> McNemar:
    """Compare two models on the images that exactly one of them classifies correctly.

    Raises:
        ValueError: They were tested on different numbers of images.
    """
    from scipy.stats import binomtest

    if first.shape != second.shape:
        raise ValueError("both models must have been tested on the same images")
    only_first = int((first & ~second).sum())
    only_second = int((second & ~first).sum())
    decided = only_first + only_second
    p_value = float(binomtest(only_first, decided).pvalue) if decided else 1.0
    return McNemar(only_first, only_second, p_value)


def _percentiles(value: float, samples: NDArray[np.floating]) -> Interval:
    low, high = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))
