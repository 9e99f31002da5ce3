"""What all of it cost, stage by stage and worker by worker, and what was saved."""

from collections.abc import Mapping, Sequence

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.cells import count, counted, duration, number, plain
from blood_hpo.report.page.document import Block, Figure, Row, Section, Table
from blood_hpo.report.page.theme import LINE, PAPER, WIDE, colour, drawing, figure, legend_above
from blood_hpo.report.page.words import said, table
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.search_study import Study, family_name
from blood_hpo.stages import stage_names

TIMELINE = "What each worker trained, and when"
MOST_WORKERS = 24
"""Rows that the drawing of the workers' time has room for."""


def section(found: Findings) -> Section:
    """The section; it is empty before the first trial has ended."""
    every = {found.study.name: found.study.trials, **found.stages}
    stages = {name: _ended(trials) for name, trials in every.items()}
    done = [one for own in stages.values() for one in own]
    if not done:
        return Section("cost")
    # Grids may have been run on another day: they would stretch the drawing of the workers' time.
    for grid in found.grids.values():
        if grid.around:
            stages[grid.study] = [*stages.get(grid.study, ()), *_ended(grid.trials)]
    blocks: list[Block] = [_by_stage(found, stages)]
    workers = sorted({str(one.worker) for one in done})
    if len(workers) <= MOST_WORKERS:
        blocks.append(Row([_timeline(done, workers)], TIMELINE))
    blocks += [*_pruning(found.study), _repeats(found)]
    return Section("cost", blocks, {"repeats_avoided": found.repeats_avoided})


def _ended(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [one for one in trials if one.worker and one.started_at and one.finished_at]


def _by_stage(found: Findings, stages: Mapping[str, Sequence[TrialRecord]]) -> Table:
    names = (found.study.name, *stage_names(found.study.name))
    labels = dict(zip(names, ("search", "confirmation", "retraining and test"), strict=True))
    rows = [
        {
            "stage": plain(labels.get(study, f"grid {study}")),
            "trials": count(cost.trials),
            "failed": count(cost.failed),
            "workers": count(len({one.worker for one in trials})),
            "epochs": count(cost.epochs),
            # Rounded, since a sum of floats depends on the order in which the rows come.
            "computing time": plain(round(cost.seconds, 6), duration(cost.seconds)),
            "start to end": plain(_span(trials), duration(_span(trials))),
        }
        for study, trials in stages.items()
        if trials and (cost := found.costs[study])
    ]
    return table("stages", rows)


def _span(trials: Sequence[TrialRecord]) -> float:
    starts = [one.started_at for one in trials if one.started_at]
    ends = [one.finished_at for one in trials if one.finished_at]
    return (max(ends) - min(starts)).total_seconds()


def _pruning(study: Study) -> list[Block]:
    totals = [study.totals[family] for family in study.families]
    rows = [
        {
            "family": plain(one.family, family_name(one.family)),
            "pruned trials": count(one.pruned),
            "epochs, complete": count(one.epochs - one.pruned_epochs),
            "epochs, pruned": count(one.pruned_epochs),
            "saved": number(one.saved_epochs, 0),
            "saved, %": number(100 * one.saved_epochs / whole if whole else None, 1),
            "computing time saved": plain(round(one.saved_seconds, 6), duration(one.saved_seconds)),
        }
        for one in totals
        for whole in [one.epochs + one.saved_epochs]
    ]
    return [table("pruning", rows)] if any(one.pruned for one in totals) else []


def _repeats(found: Findings) -> str:
    avoided = found.repeats_avoided
    retried = sum(one.retry_of is not None for one in found.study.trials)
    text = said("no-trial-twice")
    if avoided:
        was = "was" if avoided == 1 else "were"
        text += f" {counted(avoided, 'sample')} {was} discarded for that."
    if retried:
        text += f" {counted(retried, 'trial')} took over from an attempt that had been cut off."
    return text


def _timeline(trials: Sequence[TrialRecord], workers: Sequence[str]) -> Figure:
    """What each worker did when, from trials with a worker, a start and an end."""
    start = min(one.started_at for one in trials if one.started_at)
    with drawing(WIDE, 1.3 + 0.26 * len(workers)) as plot:
        axes = plot.subplots()
        for one in trials:
            assert one.started_at
            axes.barh(
                workers.index(str(one.worker)),
                _span([one]) / 60,
                left=(one.started_at - start).total_seconds() / 60,
                height=0.66,
                color=colour(one.family) if one.state != "FAIL" else LINE,
                alpha=1.0 if one.state == "COMPLETE" else 0.45,
                edgecolor=PAPER,
                linewidth=0.6,
            )
        axes.set_yticks(range(len(workers)), [str(n) for n in range(1, len(workers) + 1)])
        axes.set(xlabel="minutes since the first trial", ylabel="worker")
        axes.set_title(TIMELINE)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        for family in sorted({one.family for one in trials}):
            axes.barh(0, 0, color=colour(family), label=family_name(family))
        legend_above(axes)
        return figure(plot, "timeline", count=len(workers))
