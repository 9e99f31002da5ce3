"""Small drawings of one trial for the dashboard, as SVG written by hand.

A worker draws when a trial ends, and the report's drawings are no use to it: importing matplotlib
takes a second and 60 MB of every worker, these take less than a millisecond. They bring their own
white ground, since the dashboard shows them on a light or a dark page.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import product

PANEL_WIDTH, PANEL_HEIGHT = 400, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 64, 40
CELL = 52
INK, MUTED, LINE, ACCENT, PAPER = "#22252b", "#5f6570", "#dcd8cf", "#a11d33", "#fffdf9"
FOLDS = ("#0072b2", "#b85208", "#00795a", "#74508f", "#8a6d00")
"""Colours of the folds, told apart with any kind of colour vision; a sixth fold begins anew."""


@dataclass(frozen=True)
class Curve:
    """One number an epoch.

    Attributes:
        label: What the legend calls it; empty leaves it out.
        values: The numbers, from epoch 1.
        colour: A CSS colour.
        dashed: Whether the line is dashed.
        chosen: The epoch that early stopping restored, marked by a dot.
    """

    label: str
    values: Sequence[float]
    colour: str
    dashed: bool = False
    chosen: int | None = None


@dataclass(frozen=True)
class Panel:
    """Curves on common axes, with what they measure as its title."""

    title: str
    curves: Sequence[Curve]


def curves(title: str, panels: Sequence[Panel]) -> bytes:
    """Panels side by side, epochs to the right."""
    parts = [_text(LEFT, 22, title, size=15, bold=True)]
    for place, panel in enumerate(panels):
        parts.append(f'<g transform="translate({place * PANEL_WIDTH},0)">{_panel(panel)}</g>')
    return _file(PANEL_WIDTH * len(panels), PANEL_HEIGHT, title, parts)


def _panel(panel: Panel) -> str:
    values = [one for curve in panel.curves for one in curve.values if math.isfinite(one)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.01
    low, high = low - margin, high + margin
    last = max([1, *(len(curve.values) for curve in panel.curves)])
    floor, ceiling, right = PANEL_HEIGHT - BOTTOM, TOP, PANEL_WIDTH - RIGHT

    def x(epoch: float) -> float:
        return LEFT + (right - LEFT) * (epoch - 1) / max(last - 1, 1)

    def y(value: float) -> float:
        return floor - (floor - ceiling) * (value - low) / (high - low)

    parts = [_text(LEFT, 44, panel.title, size=12, colour=MUTED)]
    for tick in ticks(low, high):
        parts += [
            f'<path d="M{LEFT} {y(tick):.1f}H{right}" stroke="{LINE}"/>',
            _text(LEFT - 6, y(tick) + 4, f"{tick:g}", anchor="end", colour=MUTED),
        ]
    for tick in [one for one in ticks(1, last) if one == int(one)]:
        parts.append(_text(x(tick), floor + 16, f"{tick:g}", anchor="middle", colour=MUTED))
    parts.append(_text(right, floor + 32, "epoch", anchor="end", colour=MUTED))
    for curve in panel.curves:
        points = [(x(epoch), y(one)) for epoch, one in enumerate(curve.values, start=1)]
        drawn = "L".join(f"{a:.1f} {b:.1f}" for a, b in points if math.isfinite(b))
        dashes = ' stroke-dasharray="5 4" opacity="0.7"' if curve.dashed else ""
        parts.append(f'<path d="M{drawn}h0" fill="none" stroke="{curve.colour}"{dashes}/>')
        if curve.chosen:
            a, b = points[curve.chosen - 1]
            parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{curve.colour}"/>')
    return "".join(parts) + _legend(panel.curves)


def _legend(drawn: Sequence[Curve]) -> str:
    parts, right = [], float(PANEL_WIDTH - RIGHT)
    for curve in reversed([one for one in drawn if one.label]):
        parts.append(_text(right, 44, curve.label, anchor="end", colour=curve.colour))
        right -= 7 * len(curve.label) + 12
    return "".join(parts)


def ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers between two bounds."""
    rough = (high - low) / 5 or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    count = math.floor((high - first * step) / step + 1e-9) + 1
    return [float(f"{(first + number) * step:.12g}") for number in range(count)]


def confusion(title: str, matrix: Sequence[Sequence[int]], names: Sequence[str]) -> bytes:
    """Counts of true (rows) and predicted classes, shaded by their share of the row."""
    left, top, size = 176, 92, len(names)
    right, whole = sum(matrix[one][one] for one in range(size)), sum(map(sum, matrix))
    said = f"{title}: {right:,} of {whole:,} right ({right / max(whole, 1):.2%})"
    parts = [
        _text(12, 22, said, size=15, bold=True),
        _text(left, 48, "predicted", size=12, colour=MUTED),
    ]
    for place, name in enumerate(names):
        middle = CELL * place + CELL / 2
        parts += [
            _text(left - 8, top + middle + 4, name, anchor="end"),
            _text(left + middle, top - 10, f"{name[:4]}…", anchor="middle"),
        ]
    for true, predicted in product(range(size), repeat=2):
        count, row = matrix[true][predicted], max(sum(matrix[true]), 1)
        x, y = left + CELL * predicted, top + CELL * true
        shade = 0.8 * math.sqrt(count / row)
        colour = FOLDS[0] if true == predicted else ACCENT
        ink = LINE if not count else INK if shade < 0.5 else PAPER  # noqa: PLR2004 - of 0 to 1
        parts += [
            f'<rect x="{x + 1}" y="{y + 1}" width="{CELL - 2}" height="{CELL - 2}"'
            f' fill="{colour}" fill-opacity="{shade:.2f}"/>',
            _text(x + CELL / 2, y + CELL / 2 + 4, f"{count}", anchor="middle", colour=ink),
        ]
    return _file(left + CELL * size + 14, top + CELL * size + 14, said, parts)


def _text(  # noqa: PLR0913 - what and how
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    size: int = 11,
    bold: bool = False,
    colour: str = INK,
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{weight}'
        f' fill="{colour}">{escape(words)}</text>'
    )


def _file(width: float, height: float, title: str, parts: Sequence[str]) -> bytes:
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
        f' viewBox="0 0 {width:g} {height:g}" font-family="system-ui, sans-serif"'
        ' stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round">'
        f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="{PAPER}"/>'
    )
    return f"{opening}{''.join(parts)}</svg>\n".encode()
