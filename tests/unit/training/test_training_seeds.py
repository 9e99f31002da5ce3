"""Seeds and learning rates: the arithmetic around training."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blood_hpo.training.schedule import learning_rates
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
