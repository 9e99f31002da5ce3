"""Seeds, learning rates and scores: the arithmetic around training."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from blood_hpo.errors import InputError
from blood_hpo.training.schedule import learning_rates
from blood_hpo.training.scores import Objective, confusion, log_loss, score
from blood_hpo.training.seeds import derive

PARTS = st.lists(st.one_of(st.text(max_size=3), st.integers(-9, 9)), max_size=4)


def test_seeds_are_the_same_on_every_machine() -> None:
    assert derive("weights", 7, "fold", 0) == 1469036326


@given(PARTS, PARTS)
def test_seeds_are_equal_for_equal_parts_only(a: list[str | int], b: list[str | int]) -> None:
    assert (derive(*a) == derive(*b)) == (a == b)
    assert 0 <= derive(*a) < 2**32


def test_a_constant_rate_stays() -> None:
    rates = learning_rates("constant", 0.01, epoch=3, epochs=5, steps=7)
    assert rates.dtype == np.float32
    np.testing.assert_array_equal(rates, np.full(7, 0.01, np.float32))


def test_a_cosine_falls_from_the_initial_rate_to_almost_nothing() -> None:
    rates = np.concatenate(
        [learning_rates("cosine", 0.02, epoch=e, epochs=4, steps=25) for e in (1, 2, 3, 4)]
    )
    assert rates[0] == np.float32(0.02)
    assert rates[50] == pytest.approx(0.01)
    assert 0 < rates[-1] < 0.02 / 1000
    assert (np.diff(rates) < 0).all()


def test_one_cycle_rises_to_the_peak_and_falls_to_almost_nothing() -> None:
    rates = np.concatenate(
        [learning_rates("one_cycle", 0.05, epoch=e, epochs=10, steps=20) for e in range(1, 11)]
    )
    peak = int(rates.argmax())
    assert rates[0] == pytest.approx(0.05 / 25)
    assert (peak, rates[peak]) == (60, np.float32(0.05))
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) < 0).all()
    assert 0 < rates[-1] < 0.05 / 1000
    assert np.abs(np.diff(rates)).max() < 0.05 / 30


@pytest.fixture
def guesses() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(8), [40, 1, 9, 3, 20, 6, 2, 5]).astype(np.uint8)
    logits = rng.normal(size=(len(labels), 8)) + 2 * np.eye(8)[labels]
    return labels, (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)


def test_scores_are_scikit_learns(guesses: tuple[NDArray[np.uint8], NDArray[np.float32]]) -> None:
    labels, probabilities = guesses
    predicted = probabilities.argmax(axis=1)
    recalls = [np.mean(predicted[labels == c] == c) for c in range(8)]
    areas = [metrics.roc_auc_score(labels == c, probabilities[:, c]) for c in range(8)]
    assert score("accuracy", labels, probabilities) == metrics.accuracy_score(labels, predicted)
    assert score("balanced_accuracy", labels, probabilities) == pytest.approx(np.mean(recalls))
    assert score("macro_auc", labels, probabilities) == pytest.approx(np.mean(areas))
    counted = metrics.confusion_matrix(labels, predicted, labels=range(8))
    assert confusion(labels, probabilities).tolist() == counted.tolist()


def test_the_loss_is_the_cross_entropy_and_never_infinite(
    guesses: tuple[NDArray[np.uint8], NDArray[np.float32]],
) -> None:
    labels, probabilities = guesses
    expected = -np.mean(
        [np.log(row[label]) for row, label in zip(probabilities, labels, strict=True)]
    )
    assert log_loss(labels, probabilities) == pytest.approx(expected, rel=1e-5)
    hopeless = np.eye(8, dtype=np.float32)[(labels + 1) % 8]
    assert 80 < log_loss(labels, hopeless) < 90


@pytest.mark.parametrize("objective", ["accuracy", "balanced_accuracy", "macro_auc"])
def test_a_perfect_prediction_scores_one(objective: Objective) -> None:
    labels = np.arange(8, dtype=np.uint8).repeat(2)
    assert score(objective, labels, np.eye(8, dtype=np.float32)[labels]) == 1.0


def test_an_area_under_the_curve_needs_every_class() -> None:
    labels = np.array([0, 1, 2, 4, 5, 6], np.uint8)
    with pytest.raises(InputError, match="class 3, 7"):
        score("macro_auc", labels, np.full((6, 8), 1 / 8, np.float32))
