"""How sure a score of the test is: a bootstrap over seeds and images, and a test of two models.

There is one kind of interval. A score is the mean, over a model's seeds and the test images, of
what each image adds; the bootstrap draws seeds and images with replacement, each by itself, since
every seed is tested on the same images. Scores that are no plain means are made one by their
infinitesimal jackknife: see `scores.contributions`.

A bootstrap's variance of the mean of S seeds is (S - 1) / S of what it should be. The seeds'
deviations are therefore multiplied by sqrt(S / (S - 1)), and the ends stand t / z as far out, with
t's degrees of freedom after Satterthwaite: S - 1 where seeds are all the noise, and more the more
of it is the images'. A single seed tells nothing of others: its interval is of images alone.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
LEVEL = 0.95
BOOTSTRAP_SEED = 20_230_119

Values = NDArray[np.floating] | NDArray[np.bool_]
"""What each image adds to each seed's score, shape (seeds, images): see `scores.contributions`."""


class Interval(NamedTuple):
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


class McNemar(NamedTuple):
    """Images that only the first and only the second of two models gets right, and the p-value."""

    only_first: int
    only_second: int
    p_value: float


def interval(values: Values, highest: float = 1.0) -> Interval:
    """The 95 % interval of a score over seeds and images, within 0 and the highest score.

    It is seeded: the same values give the same interval.
    """
    found = _two_level([values])
    return Interval(found.value, max(found.low, 0.0), min(found.high, highest))


def difference(first: Values, second: Values) -> Interval:
    """The 95 % interval of the first model's score less the second's, on the same images.

    Images are drawn for both together, so that what both find hard cancels; seeds for each.
    """
    return _two_level([first, -np.asarray(second, dtype=float)])


def _two_level(models: Sequence[Values]) -> Interval:
    """Of the sum of several models' scores."""
    groups = [np.asarray(one, dtype=np.float64) for one in models]
    images = np.sum([one.mean(axis=0) for one in groups], axis=0)
    score, weights = float(images.mean()), _image_weights(len(images))
    draws = weights @ (images - score).astype(np.float32)
    for place, one in enumerate(groups):
        draws = draws + _seed_draws(one, place)
    stretch = _stretch(float(images.var() / len(images)), groups)
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) * stretch
    return Interval(score, score + float(low), score + float(high))


def _stretch(of_images: float, groups: Sequence[NDArray[np.float64]]) -> float:
    """How much further than the normal distribution's Student's t reaches, after Satterthwaite."""
    from scipy import stats

    seeds = [len(one) for one in groups if len(one) > 1]
    of_seeds = [one.mean(axis=1).var(ddof=1) / len(one) for one in groups if len(one) > 1]
    unsure = sum(one**2 / (count - 1) for one, count in zip(of_seeds, seeds, strict=True))
    if not unsure:
        return 1.0
    tail, degrees = (1 - LEVEL) / 2, (of_images + sum(of_seeds)) ** 2 / unsure
    return float(stats.t.isf(tail, degrees) / stats.norm.isf(tail))


def _seed_draws(values: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    """How far the mean of seeds drawn with replacement lies from that of all, corrected."""
    seeds, means = len(values), values.mean(axis=1)
    if seeds == 1:
        return np.zeros(RESAMPLES)
    generator = np.random.default_rng([BOOTSTRAP_SEED, 1 + place])
    drawn = generator.integers(seeds, size=(RESAMPLES, seeds))
    return np.asarray((means[drawn].mean(axis=1) - means.mean()) * np.sqrt(seeds / (seeds - 1)))


@lru_cache(maxsize=2)
def _image_weights(count: int) -> NDArray[np.float32]:
    """How often each image is drawn, divided by the images, shape (resamples, images)."""
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    shares = np.full(count, 1 / count)
    return (generator.multinomial(count, shares, size=RESAMPLES) / count).astype(np.float32)


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> McNemar:
    """Exact two-sided test on the images that exactly one of two models classifies correctly.

    Both say of each image whether the model is right, shape (n,).
    """
    from scipy.stats import binomtest

    only_first = int((first & ~second).sum())
    only_second = int((second & ~first).sum())
    decided = only_first + only_second
    p_value = float(binomtest(only_first, decided).pvalue) if decided else 1.0
    return McNemar(only_first, only_second, p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number (Holm 1979), in the order given."""
    order = np.argsort(p_values, kind="stable")
    tests_left = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(np.asarray(p_values)[order] * tests_left)
    adjusted: list[float] = np.minimum(stepped, 1)[np.argsort(order)].tolist()
    return adjusted
