"""The metrics against scikit-learn and values worked out by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from blood_hpo.metrics import (
    Objective,
    balanced_accuracy,
    confusion,
    log_loss,
    macro_auc,
    score,
)


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
    assert log_loss(labels, hopeless) == pytest.approx(23 * np.log(2), rel=1e-6)


@pytest.mark.parametrize("objective", ["accuracy", "balanced_accuracy", "macro_auc"])
def test_a_perfect_prediction_scores_one(objective: Objective) -> None:
    labels = np.arange(8, dtype=np.uint8).repeat(2)
    assert score(objective, labels, np.eye(8, dtype=np.float32)[labels]) == 1.0


def test_an_area_under_the_curve_needs_every_class() -> None:
    labels = np.array([0, 1, 2, 4, 5, 6], np.uint8)
    assert np.isnan(macro_auc(labels, np.full((6, 8), 1 / 8, np.float32)))


def test_the_confusion_matrix_has_the_true_class_in_its_rows() -> None:
    labels, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 2, 2])
    counts = [[1, 1, 0], [0, 1, 1], [0, 0, 1]]
    assert confusion(labels, np.eye(3)[predicted]).tolist() == counts


def test_a_class_that_does_not_occur_has_no_part_in_the_balanced_accuracy() -> None:
    labels, predicted = np.array([0, 0, 1]), np.array([0, 1, 2])
    assert balanced_accuracy(labels, np.eye(3)[predicted]) == 0.25
