"""Intervals and tests against values worked out by hand and against slower ways to the same end."""

import numpy as np
import pytest

from blood_hpo.report import uncertainty


def test_the_interval_of_an_accuracy_is_that_of_the_normal_approximation() -> None:
    correct = np.repeat([True, False], [1600, 400])
    found = uncertainty.bootstrap(np.zeros(2000, dtype=int), correct)["accuracy"]
    half = 1.96 * np.sqrt(0.8 * 0.2 / 2000)
    assert found.value == 0.8
    assert found.low == pytest.approx(0.8 - half, abs=0.002)
    assert found.high == pytest.approx(0.8 + half, abs=0.002)


def test_the_interval_of_a_balanced_accuracy_is_that_of_the_normal_approximation() -> None:
    labels = np.repeat([0, 1], [1000, 250])
    correct = np.concatenate([np.repeat([1, 0], [900, 100]), np.repeat([1, 0], [150, 100])])
    found = uncertainty.bootstrap(labels, correct)["balanced_accuracy"]
    half = 1.96 * np.sqrt(0.9 * 0.1 / 1000 + 0.6 * 0.4 / 250) / 2
    assert found.value == pytest.approx(0.75)
    assert found.low == pytest.approx(0.75 - half, abs=0.003)
    assert found.high == pytest.approx(0.75 + half, abs=0.003)


def test_a_rare_class_counts_as_much_as_a_frequent_one_only_in_balanced_accuracy() -> None:
    labels, share = np.array([0] * 9 + [1]), np.array([1.0] * 9 + [0.5])
    found = uncertainty.bootstrap(labels, share)
    assert found["accuracy"].value == pytest.approx(0.95)
    assert found["balanced_accuracy"].value == pytest.approx(0.75)


def test_a_bootstrap_gives_the_same_interval_each_time() -> None:
    labels, correct = np.array([0, 1] * 50), np.array([True, True, False] * 33 + [True])
    assert uncertainty.bootstrap(labels, correct) == uncertainty.bootstrap(labels, correct)


def test_spread_worked_out_by_hand() -> None:
    found = uncertainty.spread([0.7, 0.8, 0.9])
    assert (found.mean, found.sd, found.count) == (pytest.approx(0.8), pytest.approx(0.1), 3)
    assert np.isnan(uncertainty.spread([0.7]).sd)
    with pytest.raises(ValueError, match="at least one"):
        uncertainty.spread([])


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
