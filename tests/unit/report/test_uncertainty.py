"""Intervals and tests against values worked out by hand and against slower ways to the same end."""

import numpy as np
import pytest

from blood_hpo.report import uncertainty
from blood_hpo.report.metrics import scores


def test_the_interval_of_an_accuracy_is_that_of_the_normal_approximation() -> None:
    correct = np.repeat([True, False], [1600, 400])
    found = uncertainty.bootstrap(np.zeros(2000, dtype=int), correct)["accuracy"]
    half = 1.96 * np.sqrt(0.8 * 0.2 / 2000)
    assert found.value == 0.8
    assert found.low == pytest.approx(0.8 - half, abs=0.002)
    assert found.high == pytest.approx(0.8 + half, abs=0.002)


def test_both_bootstraps_agree() -> None:
    generator = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], [300, 100, 50])
    probabilities = generator.dirichlet([1, 1, 1], 450) + 0.5 * np.eye(3)[labels]
    correct = probabilities.argmax(axis=1) == labels
    fast = uncertainty.bootstrap(labels, correct)["balanced_accuracy"]
    slow = uncertainty.bootstrap_of(
        lambda y, p: scores(y, p).balanced_accuracy, labels, probabilities
    )
    assert fast.value == pytest.approx(slow.value)
    assert fast.low == pytest.approx(slow.low, abs=0.01)
    assert fast.high == pytest.approx(slow.high, abs=0.01)


def test_a_bootstrap_gives_the_same_interval_each_time() -> None:
    labels, correct = np.array([0, 1] * 50), np.array([True, True, False] * 33 + [True])
    assert uncertainty.bootstrap(labels, correct) == uncertainty.bootstrap(labels, correct)


def test_spread_worked_out_by_hand() -> None:
    found = uncertainty.spread([0.7, 0.8, 0.9])
    assert (found.mean, found.sd, found.count) == (pytest.approx(0.8), pytest.approx(0.1), 3)
    assert np.isnan(uncertainty.spread([0.7]).sd)
    with pytest.raises(ValueError, match="at least one"):
        uncertainty.spread([])


def test_the_interval_of_a_mean_worked_out_by_hand() -> None:
    found = uncertainty.t_interval([0.7, 0.8, 0.9])
    assert found.value == pytest.approx(0.8)
    # The 97.5 % quantile of Student's t with 2 degrees of freedom is 4.3027.
    assert found.high - found.value == pytest.approx(4.3027 * 0.1 / np.sqrt(3), abs=1e-4)


def test_mcnemar_worked_out_by_hand() -> None:
    first = np.array([True] * 9 + [False] * 1 + [True] * 20 + [False] * 5)
    second = np.array([False] * 9 + [True] * 1 + [True] * 20 + [False] * 5)
    found = uncertainty.mcnemar(first, second)
    assert (found.only_first, found.only_second) == (9, 1)
    # Ten fair coins fall as unevenly as 9 to 1 with probability 2 * (1 + 10) / 2**10.
    assert found.p_value == pytest.approx(22 / 1024)


def test_equal_models_are_not_told_apart() -> None:
    same = np.array([True, False])
    assert uncertainty.mcnemar(same, same) == uncertainty.McNemar(0, 0, 1.0)
    with pytest.raises(ValueError, match="same images"):
        uncertainty.mcnemar(same, same[:1])
