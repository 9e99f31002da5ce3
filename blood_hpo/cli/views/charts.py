"""Drawings made of characters: bars, sparklines and curves, told by shape and never by colour."""

from collections.abc import Sequence

LEVELS = "▁▂▃▄▅▆▇█"
BRAILLE = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a Braille character by row, from the top, and column."""


def bar(done: int, whole: int, width: int = 20) -> str:
    """How much of a whole is done; full only when all of it is."""
    filled = min(width * done // max(whole, 1), width)
    return "█" * filled + "░" * (width - filled)


def sparkline(values: Sequence[float], width: int) -> str:
    """One character a value, from the lowest to the highest; more values than fit are thinned.

    Args:
        values: Finite numbers.
        width: Most characters.
    """
    if not values:
        return ""
    shown = resample(values, min(width, len(values)))
    low, high = min(values), max(values)
    if low == high:
        return LEVELS[-1] * len(shown)
    top = len(LEVELS) - 1
    return "".join(LEVELS[round(top * (value - low) / (high - low))] for value in shown)


def resample(values: Sequence[float], count: int) -> list[float]:
    """That many of the values, evenly spread, from the first to the last; the last if only one."""
    if count == 1:
        return [values[-1]]
    last = len(values) - 1
    return [values[round(place * last / (count - 1))] for place in range(count)]


def curve(values: Sequence[float], width: int, height: int) -> list[str]:
    """A line through values, with numbers at its left.

    Args:
        values: One an epoch, finite, at least one.
        width: Most characters of a line.
        height: Lines, at least 2.

    Returns:
        The lines from the top; the first has the highest value at its left, the last the lowest.
    """
    low, high = min(values), max(values)
    labels = [f"{high:.4f}", *[""] * (height - 2), f"{low:.4f}"]
    edge = max(map(len, labels))
    drawn = _dots(values, width - edge - 2, height)
    return [f"{label:>{edge}} ┤{line}" for label, line in zip(labels, drawn, strict=True)]


def _dots(values: Sequence[float], columns: int, rows: int) -> list[str]:
    """Points joined by lines on a grid of Braille dots, two to a character and four to a line."""
    low, high = min(values), max(values)
    across, down = 2 * columns - 1, 4 * rows - 1
    cells = [[0] * columns for _ in range(rows)]
    before: int | None = None
    for x in range(across + 1) if len(values) > 1 else [0]:
        share = (_between(values, x / across) - low) / (high - low) if high > low else 0.5
        y = round(down * (1 - share))
        # Steep lines are filled, so that they do not fall apart into dots.
        first, last = sorted((y, y if before is None else before))
        for point in range(first, last + 1):
            cells[point // 4][x // 2] |= DOTS[point % 4][x % 2]
        before = y
    return ["".join(chr(BRAILLE + cell) for cell in line).rstrip("\u2800") for line in cells]


def _between(values: Sequence[float], place: float) -> float:
    """The value at a place from 0, the first one, to 1, the last one."""
    exact = place * (len(values) - 1)
    left = min(int(exact), max(len(values) - 2, 0))
    right = min(left + 1, len(values) - 1)
    return values[left] + (values[right] - values[left]) * (exact - left)
