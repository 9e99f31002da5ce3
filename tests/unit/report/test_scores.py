"""Scores against values worked out by hand, scikit-learn, and the original report's tables."""

import numpy as np
import pytest
from sklearn import metrics as sk

from blood_hpo.report.read import scores
from blood_hpo.report.read.published import ORIGINAL, ORIGINAL_RECALL

# The original report's test results, rows are the true class. Its own figures are transposed: these
# are the matrices whose row sums are the class counts of the test split.
ORIGINAL_MATRICES = {
    "mlp": [
        [127, 2, 0, 76, 5, 30, 4, 0],
        [0, 577, 1, 11, 1, 5, 29, 0],
        [1, 2, 245, 23, 4, 4, 11, 21],
        [22, 15, 5, 383, 8, 91, 54, 1],
        [17, 1, 20, 37, 164, 2, 2, 0],
        [7, 0, 1, 109, 1, 159, 7, 0],
        [0, 12, 12, 23, 0, 5, 613, 1],
        [0, 0, 4, 0, 0, 0, 0, 466],
    ],
    "cnn": [
        [195, 6, 0, 23, 4, 12, 4, 0],
        [3, 611, 0, 5, 1, 0, 4, 0],
        [2, 2, 289, 8, 2, 4, 3, 1],
        [10, 11, 8, 477, 12, 45, 16, 0],
        [0, 1, 11, 14, 215, 2, 0, 0],
        [3, 0, 4, 40, 9, 225, 3, 0],
        [0, 13, 4, 24, 1, 2, 622, 0],
        [0, 0, 0, 0, 0, 0, 0, 470],
    ],
    "resnet": [
        [213, 0, 0, 30, 0, 1, 0, 0],
        [1, 616, 0, 3, 0, 0, 4, 0],
        [0, 0, 303, 5, 2, 0, 0, 1],
        [5, 2, 1, 543, 3, 16, 9, 0],
        [2, 0, 2, 6, 228, 5, 0, 0],
        [1, 0, 1, 33, 1, 248, 0, 0],
        [0, 1, 0, 18, 0, 0, 647, 0],
        [0, 0, 2, 0, 0, 0, 0, 468],
    ],
}

LABELS = np.array([0, 0, 1, 1, 2])
PROBABILITIES = np.array(
    [[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.2, 0.2, 0.6]]
)


@pytest.fixture
def predictions() -> tuple[np.ndarray, np.ndarray]:
    """600 predictions of 8 classes, better than chance and far from perfect."""
    generator = np.random.default_rng(5)
    labels = generator.integers(0, 8, 600)
    logits = generator.normal(size=(600, 8)) + 1.5 * np.eye(8)[labels]
    weights = np.exp(logits)
    return labels, weights / weights.sum(axis=1, keepdims=True)


def test_scores_worked_out_by_hand() -> None:
    found = scores.all_scores(LABELS, PROBABILITIES)
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.balanced_accuracy == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    assert [one.recall for one in found.classes] == [0.5, 0.5, 1.0]
    assert [one.precision for one in found.classes] == [1.0, 0.5, 0.5]
    assert [one.f1 for one in found.classes] == pytest.approx([2 / 3, 0.5, 2 / 3])
    assert [one.support for one in found.classes] == [2, 2, 1]
    expected = -np.log([0.6, 0.2, 0.8, 0.3, 0.6]).mean()
    assert found.log_loss == pytest.approx(expected)


def test_scores_are_those_of_scikit_learn(predictions: tuple[np.ndarray, np.ndarray]) -> None:
    labels, probabilities = predictions
    predicted = probabilities.argmax(axis=1)
    found = scores.all_scores(labels, probabilities)
    assert found.accuracy == pytest.approx(sk.accuracy_score(labels, predicted))
    assert found.balanced_accuracy == pytest.approx(sk.balanced_accuracy_score(labels, predicted))
    assert found.macro_auc == pytest.approx(
        sk.roc_auc_score(labels, probabilities, multi_class="ovr")
    )
    assert found.log_loss == pytest.approx(sk.log_loss(labels, probabilities))
    expected = np.array(sk.precision_recall_fscore_support(labels, predicted, zero_division=0))
    given = [(one.precision, one.recall, one.f1, one.support) for one in found.classes]
    assert np.allclose(np.array(given).T, expected)


def test_a_class_that_never_occurs_has_no_recall_and_leaves_no_auc() -> None:
    found = scores.all_scores(np.array([0, 1]), np.array([[0.5, 0.4, 0.1], [0.1, 0.1, 0.8]]))
    assert found.balanced_accuracy == 0.5
    assert found.classes[2] == scores.ClassScores(recall=0, precision=0, f1=0, support=0)
    assert np.isnan(found.macro_auc)


def test_ranks_worked_out_by_hand() -> None:
    assert scores.ranks(LABELS, PROBABILITIES).tolist() == [1, 2, 1, 3, 1]
    assert scores.rank_counts(LABELS, PROBABILITIES) == (3, 1, 1)


def test_rank_one_is_a_correct_prediction_also_among_equals() -> None:
    labels, probabilities = np.array([0, 1, 2]), np.full((3, 3), 1 / 3)
    assert scores.ranks(labels, probabilities).tolist() == [1, 2, 3]
    assert (probabilities.argmax(axis=1) == labels).tolist() == [True, False, False]


def test_calibration_worked_out_by_hand() -> None:
    bins = scores.calibration(LABELS, PROBABILITIES, bins=2)
    # Highest probabilities 0.6, 0.7, 0.8, 0.4, 0.6; right, wrong, right, wrong, right.
    assert [one.count for one in bins] == [1, 4]
    assert bins[0].confidence == pytest.approx(0.4)
    assert bins[0].accuracy == 0
    assert bins[1].confidence == pytest.approx(0.675)
    assert bins[1].accuracy == 0.75
    assert scores.calibration_error(bins) == pytest.approx((0.4 + 4 * 0.075) / 5)


def test_certainty_falls_into_the_last_bin_and_an_empty_bin_counts_nothing() -> None:
    bins = scores.calibration(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert [one.count for one in bins] == [0] * 14 + [2]
    assert scores.calibration_error(bins) == 0.5


@pytest.mark.parametrize("family", list(ORIGINAL))
def test_the_original_reports_tables_follow_from_its_confusion_matrices(family: str) -> None:
    matrix = np.array(ORIGINAL_MATRICES[family])
    true, predicted = np.divmod(np.repeat(np.arange(64), matrix.ravel()), 8)
    found = scores.all_scores(true, np.eye(8)[predicted])
    assert round(found.accuracy, 4) == ORIGINAL[family].accuracy
    assert round(found.balanced_accuracy, 4) == ORIGINAL[family].balanced_accuracy
    assert tuple(round(one.recall, 4) for one in found.classes) == ORIGINAL_RECALL[family]
