"""What all of it cost, stage by stage and worker by worker, and what was saved."""

from collections.abc import Mapping, Sequence

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.cells import duration, number, plain
from blood_hpo.report.page.document import Block, Row, Section, Table, Text, one_group
from blood_hpo.report.process import cost_figures as draw
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.search_study import Study, family_name

TITLE = "What it cost, and what was saved"
TIME = "computing time saved"


def section(found: Findings) -> Section:
    """The section; it is empty before the first trial has ended."""
    stages = _stages(found)
    done = [one for own in stages.values() for one in own]
    if not done:
        return Section("cost", TITLE, ())
    # Grids may have been run on another day: they would stretch the drawing of the workers' time.
    grids = {one.study: _ended(one.trials) for one in found.grids.values() if one.around}
    times = _by_stage(found, {**stages, **grids})
    blocks = (times, *_timeline(done), *_pruning(found.study), Text(_repeats(found)))
    return Section("cost", TITLE, blocks, {"repeats_avoided": found.repeats_avoided})


def _stages(found: Findings) -> dict[str, list[TrialRecord]]:
    """The ended trials of the search and of what follows it, by the name of the study."""
    name = found.study.name
    after = {f"{name}-{stage}": trials for stage, trials in found.stages.items()}
    return {one: _ended(trials) for one, trials in {name: found.study.trials, **after}.items()}


def _ended(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [one for one in trials if one.worker and one.started_at and one.finished_at]


def _by_stage(found: Findings, stages: Mapping[str, Sequence[TrialRecord]]) -> Table:
    rows = [
        [
            plain(_label(found, study)),
            number(cost.trials, 0),
            number(cost.failed, 0),
            number(len({one.worker for one in trials}), 0),
            number(cost.epochs, 0),
            plain(cost.seconds, duration(cost.seconds)),
            plain(_span(trials), duration(_span(trials))),
        ]
        for study, trials in stages.items()
        if trials and (cost := found.costs[study])
    ]
    columns = ("stage", "trials", "failed", "workers", "epochs", "computing time", "start to end")
    note = (
        "Computing time is summed over the workers; start to end is time on the clock, pauses"
        " included. Epochs are summed over the folds of a trial; an epoch of a retraining sees the"
        " whole training split."
    )
    return Table("stages", "Time by stage", columns, one_group(rows), note)


def _label(found: Findings, study: str) -> str:
    name = found.study.name
    stages = {name: "search", f"{name}-confirm": "confirmation"}
    stages[f"{name}-final"] = "retraining and test"
    return stages.get(study, f"grid {study}")


def _span(trials: Sequence[TrialRecord]) -> float:
    starts = [one.started_at for one in trials if one.started_at]
    ends = [one.finished_at for one in trials if one.finished_at]
    return (max(ends) - min(starts)).total_seconds()


def _pruning(study: Study) -> list[Block]:
    if not any(one.pruned for one in study.totals.values()):
        return []
    totals = [study.totals[family] for family in study.families]
    rows = [
        [
            plain(one.family, family_name(one.family)),
            number(one.pruned, 0),
            number(one.epochs - one.pruned_epochs, 0),
            number(one.pruned_epochs, 0),
            number(one.saved_epochs, 0),
            number(100 * one.saved_epochs / whole if whole else None, 1),
            plain(one.saved_seconds, duration(one.saved_seconds)),
        ]
        for one in totals
        for whole in [one.epochs + one.saved_epochs]
    ]
    table = Table(
        "pruning",
        "Epochs that pruning saved",
        (
            "family",
            "pruned trials",
            "epochs, complete",
            "epochs, pruned",
            "saved",
            "saved, %",
            TIME,
        ),
        one_group(rows),
        "Saved is an estimate: what the pruned trials would have cost besides, had each been as"
        " long as the mean complete trial of its family, at its own pace.",
        folded=True,
    )
    return [table]


def _repeats(found: Findings) -> str:
    avoided, retried = (
        found.repeats_avoided,
        sum(one.retry_of is not None for one in found.study.trials),
    )
    said = "No configuration was counted twice: what has been tried is not proposed again."
    if avoided:
        what = "sample was" if avoided == 1 else "samples were"
        said += f" {avoided} {what} thrown away for that."
    if retried:
        what = "trial" if retried == 1 else "trials"
        said += f" {retried} {what} took over from an attempt that had been cut off."
    return said


def _timeline(done: Sequence[TrialRecord]) -> list[Block]:
    if len({one.worker for one in done}) > draw.MOST_WORKERS:
        return []
    return [Row((draw.timeline(done),), "Who trained what when")]
