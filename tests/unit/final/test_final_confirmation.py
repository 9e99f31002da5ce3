"""Which configuration wins on fresh folds, and how often the comparison errs."""

import numpy as np
import pytest
from numpy.typing import NDArray

from blood_hpo.final.ranking import adjusted_p_values, compare, mean_intervals
from blood_hpo.report.read.candidates import Standing

SPLITS, FOLDS = 3, 3


def compared(
    scores: NDArray[np.float64], sizes: list[int] | None = None, collapsed: list[bool] | None = None
) -> list[Standing]:
    count = len(scores)
    return compare(scores, sizes or list(range(count)), collapsed or [False] * count)


def noise(seed: int, scale: float) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, scale, (SPLITS, FOLDS))


def equal_families(
    shape: tuple[int, int, int, int], shared_by: str, scales: list[float]
) -> NDArray[np.float64]:
    """Scores (families, candidates, splits, folds) of candidates that are equally good.

    Two folds correlate by 1/folds: those of a split, or all of them, as the correction assumes.
    """
    families, candidates, splits, folds = shape
    generator = np.random.default_rng([splits, folds, candidates])
    shared = generator.standard_normal(
        (families, candidates, splits if shared_by == "split" else 1, 1)
    )
    own = generator.standard_normal(shape)
    scale = np.resize(scales, candidates)[:, None, None]
    return np.asarray(scale * (np.sqrt(1 / folds) * shared + np.sqrt(1 - 1 / folds) * own))


def error_rate(scores: NDArray[np.float64]) -> float:
    """Share of families of which any candidate is separated from the best."""
    values = scores.reshape(*scores.shape[:2], -1)
    best = values.mean(axis=2).argmax(axis=1)
    behind = values[np.arange(len(values)), best][:, None] - values
    p_values = adjusted_p_values(behind, scores.shape[3])
    return float((p_values < 0.05).any(axis=1).mean())


@pytest.mark.parametrize(
    ("splits", "folds"), [(3, 3), (1, 5), (2, 3), (3, 5), (5, 2), (1, 10), (20, 3)]
)
@pytest.mark.parametrize("candidates", [2, 3, 5, 10])
@pytest.mark.parametrize("shared_by", ["split", "all"])
def test_equal_candidates_are_separated_in_no_more_than_5_percent_of_families(
    splits: int, folds: int, candidates: int, shared_by: str
) -> None:
    families = equal_families((6000, candidates, splits, folds), shared_by, [1])
    # Three standard errors of a share of 0.05 of 6,000 are 0.0084.
    assert error_rate(families) <= 0.05 + 0.0084


@pytest.mark.parametrize("scales", [[5, 1], [1, 1, 1, 0.1]])
def test_unequal_variances_do_not_raise_the_error(scales: list[float]) -> None:
    for candidates in (2, 5, 10):
        families = equal_families((6000, candidates, SPLITS, FOLDS), "all", scales)
        assert error_rate(families) <= 0.05 + 0.0084


def test_the_error_is_near_5_percent_where_two_are_compared() -> None:
    """A comparison that never separates anything would pass the tests above."""
    families = equal_families((6000, 2, SPLITS, FOLDS), "all", [1])
    assert error_rate(families) == pytest.approx(0.05, abs=0.0084)


def test_a_p_value_by_hand() -> None:
    # Differences 0.1, 0.2, 0.3: mean 0.2, variance 0.01, factor 1/3 + 1/2, so t = 0.2 / 0.091287;
    # with 2 degrees the two-sided p-value is 1 - t / sqrt(2 + t^2). Three candidates: three pairs.
    t = 0.2 / np.sqrt(0.01 * 5 / 6)
    expected = 1 - t / np.sqrt(2 + t**2)
    behind = np.array([[0, 0, 0], [0.1, 0.2, 0.3], [0.3, 0.2, 0.1]])
    assert adjusted_p_values(behind, 3) == pytest.approx([1, 3 * expected, 3 * expected])


def test_the_interval_of_a_mean_by_hand() -> None:
    # t(0.975) with 2 degrees is 4.302653; on the logit scale the error is divided by 0.8 * 0.2.
    ((low,), (high,)) = mean_intervals(np.array([[0.7, 0.8, 0.9]]), folds=3)
    reach = 4.302653 * np.sqrt(0.01 * 5 / 6) / 0.16
    logit = np.log(0.8 / 0.2)
    assert low == pytest.approx(1 / (1 + np.exp(-(logit - reach))))
    assert high == pytest.approx(1 / (1 + np.exp(-(logit + reach))))


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_an_interval_covers_the_mean_as_often_as_it_says(share: float) -> None:
    families = equal_families((3000, 1, SPLITS, FOLDS), "all", [(1 - share) / 4])
    low, high = mean_intervals(share + families.reshape(3000, -1), FOLDS)
    assert ((low <= share) & (share <= high)).mean() == pytest.approx(0.95, abs=0.02)


def test_intervals_never_leave_0_to_1() -> None:
    wild = np.array([[0.0, 1.0] * 3, [0.0] * 6, [1.0] * 6, [0.999, 1.0] * 3, [1.0] + [0.0] * 5])
    found = compared(wild.reshape(5, 2, 3))
    for one in found:
        assert one.low is not None
        assert one.high is not None
        assert 0 <= one.low <= one.mean <= one.high <= 1
        if one.behind_low is not None:
            assert one.behind_high is not None
            assert -1 <= one.behind_low <= one.behind <= one.behind_high <= 1


def test_what_is_clearly_worse_is_separated_and_its_interval_says_so() -> None:
    found = compared(np.stack([0.80 + noise(1, 0.01), 0.85 + noise(2, 0.01)]))
    assert [one.rank for one in found] == [2, 1]
    assert found[0].separable
    assert found[0].behind_low is not None
    assert 0 < found[0].behind_low < found[0].behind
    best = found[1]
    assert (best.behind, best.p_value, best.behind_low, best.separable) == (0.0, None, None, False)
    assert best.winner


def test_the_interval_excludes_0_exactly_where_the_difference_is_significant() -> None:
    found = [
        one
        for seed in range(40)
        for one in compared(np.stack([noise(seed, 0.01), noise(seed + 99, 0.01) + 0.02]) + 0.8)
        if one.rank == 2
    ]
    assert {one.separable for one in found} == {True, False}
    for one in found:
        assert one.behind_low is not None
        assert one.separable == (one.behind_low > 0)


def test_of_those_that_cannot_be_separated_the_smallest_wins() -> None:
    scores = np.stack([0.8 + noise(1, 0.02), 0.81 + noise(2, 0.02), 0.5 + noise(3, 0.02)])
    found = compared(scores, sizes=[200, 300, 100])
    assert [one.separable for one in found] == [False, False, True]
    assert [one.winner for one in found] == [True, False, False]
    assert found[1].rank == 1


def test_of_equally_small_networks_the_better_mean_wins() -> None:
    scores = np.stack([0.8 + noise(1, 0.02), 0.801 + noise(2, 0.02)])
    best = int(scores.mean(axis=(1, 2)).argmax())
    assert compared(scores, sizes=[7, 7])[best].winner
    same = compared(np.stack([scores[0], scores[0]]), sizes=[7, 7])
    assert [(one.rank, one.winner) for one in same] == [(1, True), (2, False)]
    assert same[1].p_value == 1.0


def test_a_collapsed_fold_does_not_win_by_its_variance() -> None:
    broken = 0.8 + noise(1, 0.01)
    broken[1, 2] = 0.195
    scores = np.stack([broken, 0.8 + noise(2, 0.01)])
    assert not compared(scores, [1, 2])[0].separable
    assert [one.winner for one in compared(scores, [1, 2], [True, False])] == [False, True]
    assert [one.winner for one in compared(scores, [1, 2], [True, True])] == [True, False]


def test_fewer_than_five_folds_have_no_interval_and_the_best_mean_wins() -> None:
    scores = np.array([[[0.7, 0.71], [0.7, 0.71]], [[0.9, 0.91], [0.9, 0.91]]])
    small, best = compared(scores)
    assert (small.low, small.high, small.behind_low, small.p_value) == (None, None, None, None)
    assert not small.separable
    assert best.winner


def test_pairing_sees_through_noise_that_both_share() -> None:
    shared = noise(5, 0.05)
    found = compared(np.stack([0.80 + shared + noise(6, 0.002), 0.82 + shared]))
    assert found[0].separable
    assert all(one.low is not None and one.low < 0.80 for one in found)


def test_one_candidate_wins() -> None:
    (only,) = compared(0.8 + noise(1, 0.02)[None])
    assert only.winner
    assert only.low is not None
