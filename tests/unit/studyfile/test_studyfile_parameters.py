"""The three kinds of parameters: how they are read, and what they contain."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from blood_hpo.studyfile.parameters import Categorical, Float, Integer, parameter

ENDS = st.tuples(st.integers(-(2**53), 2**53), st.integers(-(2**53), 2**53))


def test_an_array_is_categorical_and_keeps_its_order() -> None:
    read = parameter([2, 5, 3, "global"])
    assert isinstance(read, Categorical)
    assert read.values == (2, 5, 3, "global")


def test_a_range_is_of_integers_only_if_both_ends_are() -> None:
    assert isinstance(parameter({"low": 1, "high": 3}), Integer)
    assert isinstance(parameter({"low": 1, "high": 3.0}), Float)
    assert isinstance(parameter({"low": 0.0, "high": 3}), Float)


def test_integers_count_their_steps() -> None:
    units = parameter({"low": 64, "high": 256, "step": 64})
    assert isinstance(units, Integer)
    assert list(units.values) == [64, 128, 192, 256]
    assert units.contains(192)
    assert not units.contains(200)
    assert not units.contains(320)
    assert not units.contains(64.0)


def test_floats_are_infinite_and_contain_their_ends() -> None:
    rate = parameter({"low": 1e-4, "high": 1e-2, "log": True})
    assert isinstance(rate, Float)
    assert rate.values is None
    assert rate.contains(1e-4)
    assert rate.contains(1e-2)
    assert not rate.contains(0.011)
    assert not rate.contains("0.001")


def test_one_is_not_true() -> None:
    assert not Categorical((False, True)).contains(1)
    assert not Categorical((0, 1)).contains(True)
    assert Categorical((0.0, 0.5)).contains(0)


@pytest.mark.parametrize(
    "value",
    [
        [],
        [1, 1],
        [1, 1.0],
        [math.nan],
        [2**60],
        [[1]],
        list(range(101)),
        {"low": 3, "high": 3},
        {"low": 0, "high": 8, "log": True},
        {"low": 0.0, "high": 1.0, "log": True},
        {"low": 1, "high": 8, "step": 2},
        {"low": 1, "high": 8, "step": 0},
        {"low": 1, "high": 9, "step": 2, "log": True},
        {"low": 0.1, "high": 0.9, "step": 2},
        {"low": 0.1, "high": math.inf},
        {"low": True, "high": 3},
        {"low": 1},
        {},
    ],
)
def test_what_cannot_be_searched_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        parameter(value)


@given(ends=ENDS, log=st.booleans())
def test_integer_ranges_hold_what_they_say(ends: tuple[int, int], log: bool) -> None:
    low, high = ends
    if low >= high or (log and low <= 0):
        with pytest.raises(ValidationError):
            parameter({"low": low, "high": high, "log": log})
        return
    read = parameter({"low": low, "high": high, "log": log})
    assert isinstance(read, Integer)
    assert len(read.values) == high - low + 1
    assert all(read.contains(probe) for probe in read.probes)
    assert not read.contains(low - 1)
    assert not read.contains(high + 1)
