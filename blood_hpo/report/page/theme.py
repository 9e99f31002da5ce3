"""How all drawings look, and how matplotlib's SVG becomes part of a page.

Colours are placeholders while drawing and CSS variables afterwards, so that one drawing is legible
on light and dark ground and follows the reader's choice. Text stays text. Equal numbers give equal
bytes: identifiers are hashed with the drawing's name, and there is no date in it.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.words import wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Plot


class Colour(NamedTuple):
    """The name of a CSS variable, and its colour on light and on dark ground."""

    variable: str
    light: str
    dark: str


COLOURS: Final = {
    "#010001": Colour("ink", "#22252b", "#e7e5e0"),
    "#010002": Colour("muted", "#5f6570", "#a2a8b2"),
    "#010003": Colour("line", "#dcd8cf", "#363c46"),
    "#010004": Colour("paper", "#fffdf9", "#15181d"),
    "#010005": Colour("accent", "#a11d33", "#ff8f9c"),
    "#010006": Colour("mlp", "#0072b2", "#5cb8ec"),
    "#010007": Colour("cnn", "#b85208", "#f2a65e"),
    "#010008": Colour("resnet", "#00795a", "#46c8a0"),
    "#010009": Colour("other", "#74508f", "#c8a4e0"),
}
"""Placeholder to colour. The families are told apart with any kind of colour vision (Okabe and
Ito's blue, vermilion and green, darkened or lightened for contrast), and by their markers."""

INK, MUTED, LINE, PAPER, ACCENT, *_FAMILIES, OTHER = COLOURS
MARKERS: Final = {"mlp": "o", "cnn": "s", "resnet": "^"}

WIDTH: Final = 5.7
"""Inches of a drawing that stands beside another, at 72 units an inch."""
WIDE: Final = 9.8
"""Inches of a drawing that takes the width of the page. On A4 it is printed at 0.73 of that, the
other at 0.82 (see style.css): text of 9.6 points or more there, and of 8.6 here, has 7 on paper."""


def colour(family: str) -> str:
    """The placeholder of a family's colour."""
    return next((one for one in _FAMILIES if COLOURS[one].variable == family), OTHER)


def variables(*, dark: bool) -> str:
    """The colours as CSS declarations."""
    return "".join(
        f"--{one.variable}:{one.dark if dark else one.light};" for one in COLOURS.values()
    )


def whole_numbers(axes: "Axes") -> None:
    """Ticks of the horizontal axis at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def legend_above(axes: "Axes") -> None:
    """A legend at the right above the axes, where it hides nothing; the title is at the left."""
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4)


@contextmanager
def drawing(
    width: float = WIDTH, height: float = 3.6, *, arranged: bool = True
) -> Iterator["Plot"]:
    """An empty matplotlib figure in this style, in inches, to draw on; then make a `figure` of it.

    If it is arranged, matplotlib places the axes so that no label is cut off.
    """
    from matplotlib import style
    from matplotlib.figure import Figure as Plot

    look = resources.files("blood_hpo.report") / "templates" / "drawing.mplstyle"
    # Upon matplotlib's own defaults: nobody's matplotlibrc changes a report.
    with style.context(["default", str(look)]):
        yield Plot(figsize=(width, height), layout="constrained" if arranged else None)


def figure(plot: "Plot", kind: str, name: str = "", **facts: object) -> Figure:
    """The finished drawing of a kind, with its words; `name` where there are several of a kind."""
    import matplotlib as mpl

    text, name, around = io.StringIO(), name or kind, wording()["figures"][kind]
    alt, caption = (around[one].format(**facts) for one in ("alt", "caption"))
    with mpl.rc_context({"svg.hashsalt": name}):
        plot.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    wide = plot.get_figwidth() > WIDTH
    return Figure(name, page_svg(text.getvalue(), alt), caption, wide)


def page_svg(text: str, alt: str) -> str:
    """One ``<svg>`` element for a page, from the file that matplotlib writes."""
    text = re.sub(r"(?s)<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", text)
    text = text[text.index("<svg") :].replace("xlink:href", "href")
    text = re.sub(r'(<g) id="[^"]*"', r"\1", text)
    text = re.sub(r'="[^"]*"', lambda found: _shorter(found[0]), text)
    text = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", text)
    text = re.sub(r"#01000\d", lambda found: f"var(--{COLOURS[found[0]].variable})", text)
    text = re.sub(r">\s+<", "><", text)
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    assert size
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[1]} {size[2]}" role="img"'
        f' aria-label="{escape(alt)}" stroke-linejoin="round">'
    )
    return opening + text.partition(">")[2].strip()


def standalone(svg: str) -> str:
    """The same drawing as a file of its own, which brings its size, colours and ground along."""
    style = (
        f"<style>svg{{background:var(--paper);{variables(dark=False)}}}"
        f"@media (prefers-color-scheme:dark){{svg{{{variables(dark=True)}}}}}</style>"
    )
    sized = re.sub(r'viewBox="0 0 (\S+) (\S+)"', r'width="\1" height="\2" \g<0>', svg, count=1)
    opening, _, rest = sized.partition(">")
    return f"{opening}>{style}{rest}\n"


def _shorter(attribute: str) -> str:
    """Two decimals are a fiftieth of a pixel, and the same on every machine."""
    if attribute.startswith('="data:'):
        return attribute
    return re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", attribute)
