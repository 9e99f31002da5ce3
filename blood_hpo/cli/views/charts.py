"""Drawings made of characters: bars, sparklines and curves, told by shape and never by colour."""

from collections.abc import Sequence

LEVELS = "▁▂▃▄▅▆▇█"
BRAILLE = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a Braille character by row, from the top, and column."""


def bar(done: int, whole: int, width: int) -> str:
    """How much of a whole is done; full only when all of it is."""
    filled = min(width * done // max(whole, 1), width)
    return "█" * filled + "░" * (width - filled)


def sparkline(values: Sequence[float], width: int) -> str:
    """One character a finite value, from lowest to highest; more than the width are thinned."""
    if not values:
        return ""
    count, low, high = min(width, len(values)), min(values), max(values)
    if low == high:
        return LEVELS[-1] * count
    step, top = (len(values) - 1) / max(count - 1, 1), len(LEVELS) - 1
    shown = (values[round(place * step)] for place in range(count))
    return "".join(LEVELS[round(top * (value - low) / (high - low))] for value in shown)


def curve(values: Sequence[float], width: int, height: int) -> list[str]:
    """A line through finite values, one or more, on so many characters and lines (at least 2).

    The first line, at the top, has the highest value at its left, and the last one the lowest.
    """
    low, high = min(values), max(values)
    labels = [f"{high:.4f}", *[""] * (height - 2), f"{low:.4f}"]
    edge = max(map(len, labels))
    drawn = _dots(values, width - edge - 2, height)
    return [f"{label:>{edge}} ┤{line}" for label, line in zip(labels, drawn, strict=True)]


def _dots(values: Sequence[float], columns: int, rows: int) -> list[str]:
    """Points joined by lines on a grid of Braille dots, two to a character and four to a line."""
    import numpy as np

    count, low, high = len(values), min(values), max(values)
    places = np.linspace(0, count - 1, 2 * columns if count > 1 else 1)
    above_middle = np.interp(places, range(count), values) - (low + high) / 2
    share_from_top = 0.5 - above_middle / ((high - low) or 1)
    levels = np.rint((4 * rows - 1) * share_from_top).astype(int).tolist()
    cells = [[0] * columns for _ in range(rows)]
    for x, (before, level) in enumerate(zip(levels[:1] + levels, levels, strict=False)):
        # Steep lines are filled, so that they do not fall apart into dots.
        for point in range(min(before, level), max(before, level) + 1):
            cells[point // 4][x // 2] |= DOTS[point % 4][x % 2]
    return ["".join(chr(BRAILLE + cell) for cell in line).rstrip("\u2800") for line in cells]
