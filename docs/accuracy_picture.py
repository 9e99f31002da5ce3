"""Draws docs/accuracy.svg: test accuracy against parameters, ours, the original's, the published.

Ours are read from the table in docs/results.md, of each family the first row, all others from the
package's own facts.

    python docs/accuracy_picture.py >docs/accuracy.svg
"""

import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

from blood_hpo.report.page.theme import (
    INK,
    MARKERS,
    MUTED,
    WIDE,
    colour,
    drawing,
    page_svg,
    standalone,
)
from blood_hpo.report.read.published import MEDMNIST_V2, ORIGINAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import FillStyleType

RESULTS = Path(__file__).with_name("results.md")
OURS = re.compile(r"^\|(MLP|CNN|ResNet),[^|]*\|([\d.]+) \([^|]*\|.*\|([\d,]+)\|$", re.MULTILINE)
ALT = "Test accuracy against trainable parameters: ours above the original's for every family."
PUBLISHED = [one for one in MEDMNIST_V2 if one.model in {"ResNet-18 (28)", "Google AutoML Vision"}]


def main() -> None:
    """Print the drawing."""
    file = io.StringIO()
    with drawing(WIDE, 4.2) as plot, mpl.rc_context({"svg.hashsalt": "accuracy"}):
        axes = plot.subplots()
        axes.set(xscale="log", xlim=(2e4, 1e7), xlabel="trainable parameters")
        axes.set_xticks([1e5, 1e6, 1e7], ["100,000", "1,000,000", "10,000,000"])
        axes.set(ylabel="accuracy on the test split", title="BloodMNIST, 28 x 28")
        _ours_and_original(axes)
        _published(axes)
        axes.legend(loc="lower left")
        plot.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    drawn = standalone(page_svg(file.getvalue(), ALT))
    told = f"<title>Accuracy and size</title><desc>{ALT}</desc><style>"
    sys.stdout.write(drawn.replace("<style>", told, 1).replace("scheme:dark", "scheme: dark"))


def _ours_and_original(axes: "Axes") -> None:
    rows = OURS.findall(RESULTS.read_text(encoding="utf-8"))
    for name, accuracy, parameters in {row[0]: row for row in reversed(rows)}.values():
        family, ours = name.lower(), float(accuracy)
        original = ORIGINAL[family]
        _point(axes, family, f"{name}, here", int(parameters.replace(",", "")), ours, "full")
        _point(
            axes, family, f"{name}, original", original.parameters or 0, original.accuracy, "none"
        )


def _point(  # noqa: PLR0913, PLR0917 - what a point has
    axes: "Axes", family: str, label: str, size: int, accuracy: float, fill: "FillStyleType"
) -> None:
    axes.plot(
        [size], [accuracy], marker=MARKERS[family], color=colour(family), linestyle="none",
        markersize=9, fillstyle=fill, label=label,
    )  # fmt: skip
    words = f"{accuracy:.4f}"
    axes.annotate(words, (size, accuracy), (9, -4), textcoords="offset points", color=INK)


def _published(axes: "Axes") -> None:
    """Lines, for their sizes are not published."""
    for one in PUBLISHED:
        highest = one.accuracy == max(each.accuracy for each in PUBLISHED)
        axes.axhline(one.accuracy, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        place = 2.2e4 if highest else 2.2e5
        axes.annotate(
            f"{one.model}, published: {one.accuracy:.3f}", (place, one.accuracy),
            (0, 4 if highest else -12), textcoords="offset points", color=MUTED, fontsize=9,
        )  # fmt: skip


if __name__ == "__main__":
    main()
