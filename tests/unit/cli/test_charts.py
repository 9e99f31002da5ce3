"""Drawings made of characters: as wide as asked, true to their numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blood_hpo.cli.views.charts import BRAILLE, DOTS, bar, curve, sparkline
from blood_hpo.text import duration

Values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300)


@pytest.mark.parametrize(
    ("done", "whole", "drawn"),
    [
        (0, 4, "░░░░"),
        (1, 4, "█░░░"),
        (3, 4, "███░"),
        (4, 4, "████"),
        (9, 4, "████"),
        (0, 0, "░░░░"),
    ],
)
def test_a_bar_is_full_only_when_all_is_done(done: int, whole: int, drawn: str) -> None:
    assert bar(done, whole, 4) == drawn
    assert bar(999, 1000, 20).endswith("░")


def test_a_sparkline_rises_with_its_values() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 20) == "▁▂▃▄▅▆▇█"
    assert sparkline([3.0, 3.0], 20) == "██"
    assert not sparkline([], 20)


@given(Values, st.integers(1, 40))
def test_a_sparkline_ends_with_the_last_value_and_fits(values: list[float], width: int) -> None:
    drawn = sparkline(values, width)
    assert len(drawn) == min(width, len(values))


def heights(lines: list[str]) -> list[float]:
    """The mean height of the dots of each column, from the bottom; of a drawing without labels."""
    width = max(map(len, lines))
    found = []
    for column in range(width):
        dots = [
            4 * (len(lines) - row) - level
            for row, line in enumerate(lines)
            for level in range(4)
            for bit in DOTS[level]
            if column < len(line) and (ord(line[column]) - BRAILLE) & bit
        ]
        found.append(sum(dots) / len(dots))
    return found


def test_a_curve_follows_its_values() -> None:
    lines = curve([0.0, 0.5, 1.0, 0.5], 40, 6)
    assert lines[0].startswith("1.0000 ┤")
    assert lines[-1].startswith("0.0000 ┤")
    found = heights([line.partition("┤")[2] for line in lines])
    top = found.index(max(found))
    assert found[: top + 1] == sorted(found[: top + 1])
    assert found[top:] == sorted(found[top:], reverse=True)
    assert top == pytest.approx(2 / 3 * len(found), abs=1.5)


@given(Values, st.integers(20, 100), st.integers(2, 12))
def test_a_curve_fits_and_has_no_gaps(values: list[float], width: int, height: int) -> None:
    lines = curve(values, width, height)
    assert len(lines) == height
    assert max(map(len, lines)) <= max(width, len(f"{max(map(abs, values)):.4f}") + 24)
    drawn = [line.partition("┤")[2] for line in lines]
    assert len(heights(drawn)) >= 1  # a column without a dot would divide by zero


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "-"), (0.4, "0 s"), (59.6, "1:00 min"), (187, "3:07 min"), (8100, "2:15 h")],
)
def test_a_duration_is_short(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said
