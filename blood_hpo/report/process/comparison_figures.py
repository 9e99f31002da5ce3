"""Drawings that hold models and configurations against each other, with intervals."""

from collections.abc import Mapping, Sequence

from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import ACCENT, INK, MARKERS, MUTED, WIDE, WIDTH, Canvas, colour
from blood_hpo.report.read.candidates import Candidate
from blood_hpo.report.read.search_study import family_name
from blood_hpo.report.read.uncertainty import Interval


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
    with Canvas(WIDE, 1.0 + 0.26 * len(rows)) as canvas:
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
            "Filled and bold: this study, with the 95 % interval. Hollow, in"
            " the same colours: the original report. Grey: MedMNIST v2.",
            wide=True,
        )


def confirmation(family: str, candidates: Sequence[Candidate], objective: str) -> Figure:
    """Confirmed means with their intervals and folds, the winner on top.

    Args:
        family: The family.
        candidates: The winner first.
        objective: Name of the score.
    """
    name = family_name(family)
    with Canvas(WIDTH, 1.2 + 0.42 * len(candidates)) as canvas:
        axes = canvas.plot.subplots()
        for place, one in enumerate(candidates):
            ink = MUTED if one.separable else colour(family)
            if one.low is not None and one.high is not None:
                axes.plot([one.low, one.high], [place] * 2, "|-", color=ink, linewidth=2)
            fill = "none" if one.separable else ink
            axes.plot(one.mean, place, "o", color=ink, markerfacecolor=fill, markersize=8)
            height = [place + 0.25] * len(one.scores)
            axes.plot(one.scores, height, ".", color=MUTED, markersize=4)
            axes.plot(one.search_score, place, "|", color=ACCENT, markersize=14, markeredgewidth=2)
        axes.plot([], [], "|", color=ACCENT, markersize=10, label="score in the search")
        axes.plot([], [], ".", color=MUTED, markersize=4, label="fold")
        axes.set_yticks(range(len(candidates)), [f"trial {one.number}" for one in candidates])
        axes.set(xlabel=objective, title=f"{name}: confirmed on fresh folds")
        axes.set_ylim(len(candidates) - 0.4, -0.6)
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.18))
        axes.grid(visible=False, axis="y")
        return canvas.figure(
            f"confirmation-{family}",
            f"Confirmed means of the {name}'s best {len(candidates)} configurations;"
            f" trial {candidates[0].number} wins.",
            f"{name}: mean on fresh folds{'' if candidates[0].low is None else ', 95 % interval'},"
            " the winner on top. Filled: not separable from the best mean. Red: what the search had"
            " measured, which flatters, as the luckiest were kept.",
        )
