"""How sure a number is: bootstrap intervals, spread over seeds, and a test between two models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blood_hpo.report.metrics import Labels, Probabilities

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
    labels: Labels, correct: Correct, resamples: int = RESAMPLES
) -> Mapping[str, Interval]:
    """Percentile intervals of accuracy and balanced accuracy, ``{"accuracy": ..., ...}``.

    The bootstrap is stratified: every resample draws, with replacement, as many images of each
    class as the test split has, so that the class mix of the split is taken as given. As only the
    number of hits in each class matters, those are drawn directly from binomial distributions. It
    is seeded: the same predictions give the same interval.
    """
    classes, support = np.unique(labels, return_counts=True)
    rates = np.array([correct[labels == one].mean() for one in classes])
    hits = np.random.default_rng(BOOTSTRAP_SEED).binomial(support, rates, (resamples, len(classes)))
    samples = {
        "accuracy": hits.sum(axis=1) / support.sum(),
        "balanced_accuracy": (hits / support).mean(axis=1),
    }
    estimates = {"accuracy": float(correct.mean()), "balanced_accuracy": float(rates.mean())}
    return {name: _percentiles(estimates[name], values) for name, values in samples.items()}


def bootstrap_of(
    statistic: Callable[[Labels, Probabilities], float],
    labels: Labels,
    probabilities: Probabilities,
    resamples: int = 400,
) -> Interval:
    """Percentile interval of any statistic of labels and probabilities, stratified and seeded."""
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    groups = [np.flatnonzero(labels == one) for one in np.unique(labels)]
    values = np.empty(resamples)
    for number in range(resamples):
        chosen = np.concatenate([generator.choice(group, len(group)) for group in groups])
        values[number] = statistic(labels[chosen], probabilities[chosen])
    return _percentiles(statistic(labels, probabilities), values)


def spread(values: Sequence[float]) -> Spread:
    """Mean and sample standard deviation.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("a spread needs at least one value")
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return Spread(float(np.mean(values)), sd, len(values))


def t_interval(values: Sequence[float]) -> Interval:
    """Mean and its 95 % interval by Student's t distribution, the values taken as independent."""
    from scipy.stats import t

    found = spread(values)
    half = float(t.ppf((1 + LEVEL) / 2, found.count - 1)) * found.sd / np.sqrt(found.count)
    return Interval(found.mean, float(found.mean - half), float(found.mean + half))


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
