"""Drawings that hold models and configurations against each other, with intervals."""

from collections.abc import Mapping, Sequence

from blood_hpo.report.document import Figure
from blood_hpo.report.figures.theme import (
    ACCENT,
    INK,
    MARKERS,
    MUTED,
    WIDE,
    WIDTH,
    Canvas,
    colour,
)
from blood_hpo.report.record import family_name
from blood_hpo.report.uncertainty import Interval


def comparison(ours: Mapping[str, Interval], others: Sequence[tuple[str, float, str]]) -> Figure:
    """Test accuracies on one axis.

    Args:
        ours: Accuracy with its interval by family.
        others: Name, accuracy, and the family it compares with (empty for none).
    """
    rows: list[tuple[str, float, str, Interval | None]]
    rows = [(family_name(key), value.value, key, value) for key, value in ours.items()]
    rows += [(name, value, family, None) for name, value, family in others]
    rows.sort(key=lambda row: (row[1], row[0]))
    with Canvas(WIDE, 1.0 + 0.31 * len(rows)) as canvas:
        axes = canvas.plot.subplots()
        for place, (_, value, family, interval) in enumerate(rows):
            ink = colour(family) if family else MUTED
            if interval:
                span = [[value - interval.low], [interval.high - value]]
                axes.errorbar(value, place, xerr=span, color=ink, capsize=4, elinewidth=2)
            marker = MARKERS.get(family, "D")
            fill = ink if interval else "none"
            axes.plot(value, place, marker, markeredgecolor=ink, markerfacecolor=fill, markersize=8)
            axes.annotate(
                f"{value:.4f}" if interval or family else f"{value:.3f}",
                (interval.high if interval else value, place),
                (9, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
                fontweight="bold" if interval else "normal",
            )
        axes.set_yticks(range(len(rows)), [row[0] for row in rows])
        for label, row in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_fontweight("bold" if row[3] else "normal")
            label.set_color(INK if row[3] else MUTED)
        axes.set(xlabel="test accuracy", title="Beside what others have published")
        axes.margins(x=0.12)
        return canvas.figure(
            "comparison",
            "Test accuracies of this study's models, of the original report and of MedMNIST v2.",
            "Filled and bold: this study, mean over its seeds with the 95 % interval. Hollow, in"
            " the same colours: the original report. Grey: MedMNIST v2.",
            wide=True,
        )


def confirmation(
    family: str, candidates: Sequence[tuple[str, Interval, float, bool]], objective: str
) -> Figure:
    """Confirmed means with their intervals, the winner on top.

    Args:
        family: The family.
        candidates: Label, confirmed mean with interval, score in the search, and whether the
            winner is told apart from it.
        objective: Name of the score.
    """
    name = family_name(family)
    with Canvas(WIDTH, 1.2 + 0.42 * len(candidates)) as canvas:
        axes = canvas.plot.subplots()
        for place, (_, found, searched, apart) in enumerate(candidates):
            ink = MUTED if apart else colour(family)
            span = [[found.value - found.low], [found.high - found.value]]
            axes.errorbar(found.value, place, xerr=span, color=ink, capsize=4, elinewidth=2)
            fill = "none" if apart else ink
            axes.plot(found.value, place, "o", color=ink, markerfacecolor=fill, markersize=8)
            axes.plot(searched, place, "|", color=ACCENT, markersize=14, markeredgewidth=2)
        axes.plot([], [], "|", color=ACCENT, markersize=10, label="score in the search")
        axes.set_yticks(range(len(candidates)), [row[0] for row in candidates])
        axes.set(xlabel=objective, title=f"{name}: confirmed on fresh folds")
        axes.set_ylim(len(candidates) - 0.4, -0.6)
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.18))
        axes.grid(visible=False, axis="y")
        return canvas.figure(
            f"confirmation-{family}",
            f"Confirmed means of the {name}'s best {len(candidates)} configurations with 95 %"
            f" intervals; {candidates[0][0]} wins.",
            f"{name}: mean on fresh folds with its 95 % interval, the winner on top. Filled: cannot"
            " be told from the winner. Red strokes: what the search had measured; on average they"
            " flatter, because the search kept the luckiest.",
        )
