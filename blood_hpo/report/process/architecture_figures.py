"""Drawings of networks: layers from top to bottom with shapes and parameters, and skips."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import INK, MUTED, WIDTH, Canvas, colour
from blood_hpo.report.read.final_stage import Layer
from blood_hpo.report.read.search_study import family_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEFT, RIGHT = 0.0, 10.0


def architecture(family: str, layers: Sequence[Layer]) -> Figure:
    """The layers of a network in order, with a line at the side to an input further up."""
    name, total = family_name(family), sum(one.parameters for one in layers)
    place = {one.name: row for row, one in enumerate(layers)}
    skips = 0
    with Canvas(WIDTH, 0.6 + 0.33 * len(layers)) as canvas:
        axes = canvas.plot.subplots()
        for row, one in enumerate(layers):
            _box(axes, row, one, colour(family))
            for source in one.inputs:
                skips += row - place[source] > 1
                _link(axes, place[source], row, colour(family), lane=skips % 2)
        axes.set_xlim(-1.5, RIGHT + 0.1)
        axes.set_ylim(len(layers) - 0.4, -0.6)
        axes.set_axis_off()
        axes.set_title(f"{name}: {total:,} parameters")
        return canvas.figure(
            f"architecture-{family}",
            f"The {name}'s {len(layers)} layers from input to output with {total:,} parameters.",
            f"{name}: layers from top to bottom with the shape of their output and their"
            f" parameters, trainable or not.{' Lines at the left skip layers.' if skips else ''}",
        )


def _box(axes: "Axes", row: int, layer: Layer, ink: str) -> None:
    low, high = row - 0.36, row + 0.36
    pale = 0.28 if layer.parameters else 0.08
    axes.fill_between([LEFT, RIGHT], low, high, color=ink, alpha=pale, linewidth=0)
    shape = " x ".join(str(side) for side in layer.output_shape)
    weights = f"{layer.parameters:,}" if layer.parameters else ""
    axes.text(LEFT + 0.25, row, layer.kind, va="center", fontsize=9.5, color=INK)
    axes.text(6.6, row, shape, va="center", ha="right", fontsize=9.5, color=MUTED)
    axes.text(RIGHT - 0.25, row, weights, va="center", ha="right", fontsize=9.5, color=INK)


def _link(axes: "Axes", source: int, row: int, ink: str, *, lane: int) -> None:
    """A short line from the layer above, or a bracket at the left from further up.

    Brackets that follow each other run in two lanes, so that they do not cover each other.
    """
    if row - source == 1:
        axes.plot([3.6, 3.6], [source + 0.36, row - 0.36], color=MUTED, linewidth=1.5)
        return
    side = LEFT - 0.45 - 0.5 * lane
    axes.plot([LEFT, side, side, LEFT], [source, source, row, row], color=ink, linewidth=1.6)
    axes.plot(LEFT - 0.06, row, ">", color=ink, markersize=5)
