"""Drawings of what a search cost: epochs, and the time of its workers."""

from collections.abc import Sequence

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import LINE, PAPER, WIDE, WIDTH, Canvas, colour, legend_above
from blood_hpo.report.read.search_study import Totals, family_name

MOST_WORKERS = 24
"""Rows that the drawing of the workers' time has room for."""


def epochs(families: Sequence[Totals]) -> Figure:
    """Epochs that were trained, and those that pruning saved, as bars."""
    with Canvas(WIDTH, 1.4 + 0.5 * len(families)) as canvas:
        axes = canvas.plot.subplots()
        for place, one in enumerate(reversed(families)):
            ink, complete = colour(one.family), one.epochs - one.pruned_epochs
            axes.barh(place, complete, color=ink, height=0.55)
            axes.barh(place, one.pruned_epochs, left=complete, color=ink, alpha=0.45, height=0.55)
            axes.barh(
                place,
                one.saved_epochs,
                left=one.epochs,
                facecolor="none",
                edgecolor=ink,
                linestyle=(0, (2, 2)),
                height=0.55,
            )
        names = [family_name(one.family) for one in reversed(families)]
        axes.set_yticks(range(len(families)), names)
        axes.set(xlabel="epochs, summed over the folds", title="What pruning saved")
        axes.grid(visible=False, axis="y")
        total = sum(one.saved_epochs for one in families)
        return canvas.figure(
            "pruning",
            f"Epochs trained in complete and pruned trials, and about {total:.0f} epochs saved.",
            "Solid: epochs of complete trials. Pale: epochs of pruned trials. Dashed: what the"
            " pruned trials would have cost besides, had each been as long as the family's mean"
            " complete trial.",
        )


def timeline(trials: Sequence[TrialRecord]) -> Figure:
    """What each worker did when.

    Args:
        trials: Trials with a worker, a start and an end, of at most `MOST_WORKERS` workers.
    """
    workers = sorted({str(one.worker) for one in trials})
    start = min(one.started_at for one in trials if one.started_at)
    with Canvas(WIDE, 1.3 + 0.26 * len(workers)) as canvas:
        axes = canvas.plot.subplots()
        for one in trials:
            assert one.started_at
            assert one.finished_at
            begin = (one.started_at - start).total_seconds() / 60
            length = (one.finished_at - one.started_at).total_seconds() / 60
            pale = one.state != "COMPLETE"
            axes.barh(
                workers.index(str(one.worker)),
                length,
                left=begin,
                height=0.66,
                color=colour(one.family) if one.state != "FAIL" else LINE,
                alpha=0.45 if pale else 1.0,
                edgecolor=PAPER,
                linewidth=0.6,
            )
        axes.set_yticks(range(len(workers)), [str(n) for n in range(1, len(workers) + 1)])
        axes.set(xlabel="minutes since the first trial", ylabel="worker")
        axes.set_title("Who trained what when")
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        for family in sorted({one.family for one in trials}):
            axes.barh(0, 0, color=colour(family), label=family_name(family))
        legend_above(axes)
        return canvas.figure(
            "timeline",
            f"Trials of {len(workers)} workers over time, one row a worker.",
            "One row a worker, one bar a trial; pale bars were pruned or put back.",
            wide=True,
        )
