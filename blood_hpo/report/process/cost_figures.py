"""What each worker did when."""

from collections.abc import Sequence

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.document import Figure
from blood_hpo.report.page.theme import LINE, PAPER, WIDE, Canvas, colour, legend_above
from blood_hpo.report.read.search_study import family_name

MOST_WORKERS = 24
"""Rows that the drawing of the workers' time has room for."""


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
