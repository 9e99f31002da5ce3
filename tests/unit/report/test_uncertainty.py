"""Intervals and tests against values worked out by hand and against slower ways to the same end."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sk

from blood_hpo.report.read import uncertainty
from blood_hpo.report.read.scores import all_scores, contributions

Array = NDArray[np.float64]


def test_of_one_seed_the_interval_is_the_normal_approximation_over_images() -> None:
    correct = np.repeat([True, False], [1600, 400])[None]
    value, low, high = uncertainty.interval(correct)
    half = 1.96 * np.sqrt(0.8 * 0.2 / 2000)
    assert value == 0.8
    assert low == pytest.approx(0.8 - half, abs=0.001)
    assert high == pytest.approx(0.8 + half, abs=0.001)


def test_with_equal_seeds_the_interval_is_that_of_one() -> None:
    one = np.repeat([True, False], [1600, 400])[None]
    assert uncertainty.interval(np.repeat(one, 3, axis=0)) == uncertainty.interval(one)


def test_seeds_that_differ_widen_the_interval_by_their_t() -> None:
    # Images add nothing: each seed has the same value on all. t(0.975, 9) = 2.262157.
    means = np.linspace(0.7, 0.8, 10)
    found = uncertainty.interval(np.repeat(means[:, None], 50, axis=1))
    half = 2.262157 * means.std(ddof=1) / np.sqrt(10)
    assert found.value == pytest.approx(0.75)
    assert found.high - found.value == pytest.approx(half, rel=0.05)
    assert found.value - found.low == pytest.approx(half, rel=0.05)


def test_an_interval_stays_within_what_a_score_can_be() -> None:
    correct = np.ones((3, 50), dtype=bool)
    correct[0, 0] = False
    found = uncertainty.interval(correct)
    assert found.value < found.high == 1.0
    loss = uncertainty.interval(np.array([[0.0] * 9 + [9.0], [0.0] * 10]), highest=np.inf)
    assert loss.low == 0.0
    assert loss.high > 1


def coverage(
    seeds: int, seed_noise: float, find: Callable[[Array], uncertainty.Interval]
) -> tuple[float, float]:
    """How often intervals of simulated models hold the accuracy of all seeds on all images.

    Images differ in difficulty and seeds in skill, both normal on the logit scale; also returned
    is the standard deviation between seeds.
    """
    generator = np.random.default_rng([seeds, round(100 * seed_noise)])
    difficulty = generator.normal(2, 2, (300, 1, 1000))
    skill = generator.normal(0, seed_noise, (300, seeds, 1))
    shares = 1 / (1 + np.exp(-difficulty - skill))
    correct = generator.random(shares.shape) < shares
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    truth = weights @ (1 / (1 + np.exp(-2 - np.hypot(2, seed_noise) * nodes))) / weights.sum()
    found = [find(one) for one in correct]
    held = np.mean([one.low <= truth <= one.high for one in found])
    return float(held), float(correct.mean(axis=2).std(axis=1, ddof=1).mean())


@pytest.mark.parametrize("seed_noise", [0, 0.1, 0.2])
def test_three_seeds_cover_nearly_as_often_as_they_say(seed_noise: float) -> None:
    held, between = coverage(3, seed_noise, uncertainty.interval)
    print(f"3 seeds, standard deviation between them {between:.4f}: coverage {held:.3f}")
    assert 0.90 <= held <= 0.99


def test_images_alone_would_not_cover_what_another_seed_gives() -> None:
    held, _ = coverage(3, 0.2, lambda one: uncertainty.interval(one.mean(axis=0)[None]))
    assert held < 0.85


def test_a_difference_cancels_what_both_models_find_hard() -> None:
    generator = np.random.default_rng(1)
    hard = generator.random(2000) < 0.3
    first = ~hard & (generator.random((3, 2000)) < 0.99)
    second = ~hard & (generator.random((3, 2000)) < 0.97)
    found = uncertainty.difference(first, second)
    assert found.value == pytest.approx(first.mean() - second.mean())
    assert found.low > 0
    alone = uncertainty.interval(first)
    assert found.high - found.low < (alone.high - alone.low) / 2
    reverse = uncertainty.difference(second, first)
    assert reverse.value == -found.value


def test_the_difference_of_a_model_to_itself_is_nothing() -> None:
    one = np.random.default_rng(1).random((1, 500)) < 0.8
    assert uncertainty.difference(one, one) == (0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def predictions() -> tuple[NDArray[np.int64], Array]:
    """1,500 predictions of 8 classes, unequally frequent, some of equal probabilities."""
    generator = np.random.default_rng(5)
    labels = generator.choice(8, 1500, p=np.arange(1, 9) / 36)
    weights = np.exp(generator.normal(size=(1500, 8)) + 2 * np.eye(8)[labels])
    return labels, np.round(weights / weights.sum(axis=1, keepdims=True), 2)


def test_contributions_average_to_the_scores(predictions: tuple[NDArray[np.int64], Array]) -> None:
    found, scores = contributions(*predictions), all_scores(*predictions)
    assert set(found) == {"accuracy", "balanced_accuracy", "macro_auc", "log_loss"}
    for name, values in found.items():
        assert values.shape == predictions[0].shape
        assert values.mean() == pytest.approx(getattr(scores, name))


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_auc"])
def test_the_interval_of_a_mean_over_classes_is_that_of_the_plain_bootstrap(
    predictions: tuple[NDArray[np.int64], Array], name: str
) -> None:
    labels, probabilities = predictions
    generator, samples = np.random.default_rng(8), []
    one_hot = np.eye(8)[labels]
    for _ in range(400):
        rows = generator.integers(len(labels), size=len(labels))
        if name == "macro_auc":
            samples.append(sk.roc_auc_score(one_hot[rows], probabilities[rows], average="macro"))
        else:
            predicted = probabilities[rows].argmax(axis=1)
            samples.append(sk.balanced_accuracy_score(labels[rows], predicted))
    found = uncertainty.interval(contributions(labels, probabilities)[name][None])
    width = 2 * 1.96 * np.std(samples)
    assert found.high - found.low == pytest.approx(width, rel=0.1)
    assert (found.low, found.high) == pytest.approx(np.quantile(samples, [0.025, 0.975]), abs=0.004)


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


def test_holm_worked_out_by_hand() -> None:
    # Sorted: 0.01 * 4, 0.02 * 3, then 0.03 * 2 and 0.5 * 1, none below the one before it.
    assert uncertainty.holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert uncertainty.holm([0.9, 0.8]) == [1.0, 1.0]
    assert uncertainty.holm([]) == []
