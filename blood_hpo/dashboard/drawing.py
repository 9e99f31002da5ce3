"""Small drawings of one trial for the dashboard, as SVG on a white ground of their own.

The dashboard shows them on a light or a dark page. Text stays text, and equal numbers give equal
bytes, so that a trial which ends twice leaves one file.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_INCHES: Final = (4.6, 3.4)
CONFUSION_INCHES: Final = (7.4, 6.2)
DARK: Final = 0.5
"""Share of a row from which white figures are easier to read than black ones."""

_STYLE: Final[dict[str, Any]] = {
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "svg.hashsalt": "trial",
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "legend.frameon": False,
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Curve:
    """One number an epoch.

    Attributes:
        label: What the legend calls it; empty leaves it out.
        values: The numbers, from epoch 1.
        colour: A colour that matplotlib knows.
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
    from matplotlib import style
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    width, height = PANEL_INCHES
    with style.context(["default", _STYLE]):
        figure = Figure(figsize=(width * len(panels), height))
        figure.suptitle(title)
        row = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, panel in zip(row, panels, strict=True):
            axes.set(title=panel.title, xlabel="epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            _draw(axes, panel)
        return _file(figure)


def _draw(axes: "Axes", panel: Panel) -> None:
    for curve in panel.curves:
        epochs, line = range(1, len(curve.values) + 1), "--" if curve.dashed else "-"
        axes.plot(epochs, curve.values, line, color=curve.colour, label=curve.label or "_")
        if curve.chosen:
            axes.plot(curve.chosen, curve.values[curve.chosen - 1], "o", color=curve.colour)
    if any(curve.label for curve in panel.curves):
        axes.legend()


def confusion(title: str, matrix: Sequence[Sequence[int]], names: Sequence[str]) -> bytes:
    """Counts of true (rows) and predicted classes, shaded by their share of the row."""
    from matplotlib import style
    from matplotlib.figure import Figure

    right, whole = sum(row[place] for place, row in enumerate(matrix)), sum(map(sum, matrix))
    shares = [[count / max(sum(row), 1) for count in row] for row in matrix]
    with style.context(["default", _STYLE]):
        figure = Figure(figsize=CONFUSION_INCHES)
        figure.suptitle(f"{title}: {right:,} of {whole:,} right ({right / max(whole, 1):.2%})")
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set(xlabel="predicted", ylabel="true")
        axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
        axes.set_yticks(range(len(names)), names)
        for true, row in enumerate(matrix):
            for predicted, count in enumerate(row):
                ink = "white" if shares[true][predicted] > DARK else "black"
                axes.text(predicted, true, f"{count}", ha="center", va="center", color=ink)
        return _file(figure)


def _file(figure: "Figure") -> bytes:
    text = io.BytesIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
