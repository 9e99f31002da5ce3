"""Drawings of training by epoch, and of the networks that were trained."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from blood_hpo.report.page import theme
from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import INK, MUTED, WIDTH, colour, drawing, figure
from blood_hpo.report.read.final_stage import Layer
from blood_hpo.report.read.search_study import Curve, family_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHES = (0, (4, 2))
BOX = 10.0
"""Width of a layer's box."""


class Line(NamedTuple):
    """One number an epoch; none are not drawn, and an empty label is left out of the legend.

    A dot marks the epoch that early stopping restored, from 1.
    """

    label: str
    values: Sequence[float]
    ink: str
    dashed: bool = False
    chosen: int | None = None


def training(family: str, curve: Curve, best_epoch: int) -> Figure:
    """Accuracy and loss after each epoch of one run, with the epoch that was restored, from 1."""
    name, epochs = family_name(family), len(curve.validation)
    caption = f"{name}: dots mark epoch {best_epoch} of {epochs}, whose weights were restored."
    return lines(f"training-{family}", name, panels(curve, colour(family), best_epoch), caption)


def panels(curve: Curve, ink: str, best_epoch: int) -> dict[str, list[Line]]:
    """Accuracy and loss, each in training and in validation."""
    both = {
        "accuracy": (curve.train_accuracy, curve.validation),
        "loss": (curve.train_loss, curve.validation_loss),
    }
    return {
        label: [
            Line("training", train, MUTED, dashed=True),
            Line("validation", validation, ink, chosen=best_epoch),
        ]
        for label, (train, validation) in both.items()
    }


def lines(name: str, title: str, panels: Mapping[str, Sequence[Line]], caption: str = "") -> Figure:
    """Lines over epochs, a panel for each thing that is measured."""
    with drawing(WIDTH, 2.5) as plot:
        grid = plot.subplots(1, len(panels), squeeze=False)[0]
        for axes, (label, drawn) in zip(grid, panels.items(), strict=True):
            for one in drawn:
                x, style = range(1, len(one.values) + 1), DASHES if one.dashed else "-"
                axes.plot(x, one.values, color=one.ink, linestyle=style, label=one.label or "_")
                if one.values and one.chosen:
                    axes.plot(one.chosen, one.values[one.chosen - 1], "o", color=one.ink)
            axes.set(xlabel="epoch", ylabel=label)
            theme.whole_numbers(axes)
        grid[0].set_title(title)
        if grid[-1].get_legend_handles_labels()[1]:
            theme.legend_above(grid[-1])  # at the first it would hide the title
        facts = {"title": title, "panels": " and ".join(panels), "caption": caption}
        return figure(plot, "lines", name, **facts)


def architecture(family: str, layers: Sequence[Layer]) -> Figure:
    """The layers of a network in order, with a line at the side to an input further up."""
    name, total = family_name(family), sum(one.parameters for one in layers)
    place = {one.name: row for row, one in enumerate(layers)}
    skips = 0
    with drawing(WIDTH, 0.6 + 0.33 * len(layers)) as plot:
        axes = plot.subplots()
        for row, one in enumerate(layers):
            _box(axes, row, one, colour(family))
            for source in one.inputs:
                skips += row - place[source] > 1
                _link(axes, place[source], row, colour(family), lane=skips % 2)
        axes.set(xlim=(-1.5, BOX + 0.1), ylim=(len(layers) - 0.4, -0.6))
        axes.set_axis_off()
        axes.set_title(f"{name}: {total:,} parameters")
        lines_at = " Lines at the left skip layers." if skips else ""
        facts = {"family": name, "count": len(layers), "total": total, "skips": lines_at}
        return figure(plot, "architecture", f"architecture-{family}", **facts)


def _box(axes: "Axes", row: int, layer: Layer, ink: str) -> None:
    pale = 0.28 if layer.parameters else 0.08
    axes.fill_between([0, BOX], row - 0.36, row + 0.36, color=ink, alpha=pale, linewidth=0)
    shape = " x ".join(str(side) for side in layer.output_shape)
    weights = f"{layer.parameters:,}" if layer.parameters else ""
    axes.text(0.25, row, layer.kind, va="center", fontsize=9.5, color=INK)
    axes.text(6.6, row, shape, va="center", ha="right", fontsize=9.5, color=MUTED)
    axes.text(BOX - 0.25, row, weights, va="center", ha="right", fontsize=9.5, color=INK)


def _link(axes: "Axes", source: int, row: int, ink: str, *, lane: int) -> None:
    """A short line from the layer above, or a bracket at the left from further up.

    Brackets that follow each other run in two lanes, so that they do not cover each other.
    """
    if row - source == 1:
        axes.plot([3.6, 3.6], [source + 0.36, row - 0.36], color=MUTED, linewidth=1.5)
        return
    side = -0.45 - 0.5 * lane
    axes.plot([0, side, side, 0], [source, source, row, row], color=ink, linewidth=1.6)
    axes.plot(-0.06, row, ">", color=ink, markersize=5)
