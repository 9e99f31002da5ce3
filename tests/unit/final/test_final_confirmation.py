"""Which configuration wins on fresh folds, and which cannot be told from it."""

import numpy as np
import pytest

from blood_hpo.final.confirmation import Confirmed, compare, interval

SPLITS, FOLDS = 3, 3


def confirmed(rank: int, scores: np.ndarray) -> Confirmed:
    return Confirmed(
        trial=10 + rank,
        config_hash=f"{rank:016x}",
        params={"units": rank},
        config={"units": rank},
        parameter_count=100 * rank,
        search_score=1.0 - rank / 10,
        search_rank=rank,
        scores=scores.tolist(),
    )


def noise(seed: int, scale: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scale, (SPLITS, FOLDS))


def test_an_interval_by_hand() -> None:
    # The variance is 0.01, and 1/3 + 1/2 of it 0.1 / 12; t(0.975) with 2 degrees is 4.302653.
    found = interval(np.array([0.7, 0.8, 0.9]), folds=3)
    assert found.mean == pytest.approx(0.8)
    assert found.high - 0.8 == pytest.approx(4.302653 * np.sqrt(0.1 / 12), rel=1e-6)
    assert 0.8 - found.low == pytest.approx(found.high - 0.8)


def test_an_interval_holds_what_it_should_when_folds_share_no_noise() -> None:
    # The correction is for folds that do share some, so without any it covers more than 95 %.
    held = 0
    for seed in range(300):
        found = interval(0.8 + noise(seed, 0.02).ravel(), FOLDS)
        held += found.low <= 0.8 <= found.high
    assert held / 300 >= 0.95


def test_equal_scores_are_told_apart_by_nothing() -> None:
    found = interval(np.zeros(9), FOLDS)
    assert (found.mean, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_the_best_confirmed_mean_wins_whatever_the_search_said() -> None:
    lucky = confirmed(1, 0.80 + noise(1, 0.01))
    better = confirmed(2, 0.85 + noise(2, 0.01))
    found = compare([lucky, better])
    assert [one["trial"] for one in found] == [12, 11]
    assert [one["rank"] for one in found] == [1, 2]
    assert found[0]["behind"] == 0.0
    assert found[0]["told_apart"] is False
    assert found[1]["told_apart"] is True
    assert found[1]["behind"] == pytest.approx(
        np.mean(better.scores) - np.mean(lucky.scores), abs=1e-12
    )


def test_of_equals_the_better_of_the_search_wins() -> None:
    scores = 0.8 + noise(1, 0.01)
    found = compare([confirmed(2, scores), confirmed(1, scores)])
    assert [one["search_rank"] for one in found] == [1, 2]
    assert found[1]["p_value"] == 1.0


def test_what_differs_by_less_than_its_noise_cannot_be_told_apart() -> None:
    found = compare([confirmed(1, 0.8 + noise(1, 0.02)), confirmed(2, 0.801 + noise(2, 0.02))])
    assert found[1]["told_apart"] is False
    low, high = found[1]["behind_low"], found[1]["behind_high"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert low < 0 < high


def test_pairing_sees_through_noise_that_both_share() -> None:
    shared = noise(5, 0.05)
    better, worse = 0.82 + shared, 0.80 + shared + noise(6, 0.002)
    found = compare([confirmed(1, worse), confirmed(2, better)])
    assert found[1]["told_apart"] is True
    widths = [float(str(one["high"])) - float(str(one["low"])) for one in found]
    assert min(widths) > 0.02


def test_one_split_is_enough_for_an_interval() -> None:
    found = compare([confirmed(1, np.array([[0.8, 0.82]])), confirmed(2, np.array([[0.7, 0.71]]))])
    assert found[0]["split_means"] == [pytest.approx(0.81)]
    assert found[0]["low"] != found[0]["high"]
