"""What all of it cost, stage by stage and worker by worker, and what was spared."""

from collections.abc import Mapping, Sequence
from statistics import mean

from blood_hpo.report.cells import Cell, code, duration, number, plain
from blood_hpo.report.document import Block, Heading, Missing, Section, Table, Text, one_group
from blood_hpo.report.figures import cost as draw
from blood_hpo.report.findings import Findings
from blood_hpo.report.record import SPENT, Study, Trial, family_name
from blood_hpo.report.sections.commands import finish

TITLE = "What it cost, and what was spared"
STAGES = {"confirm": "confirmation", "final": "retraining and test"}


def section(found: Findings) -> Section:
    """The section."""
    stages = _stages(found)
    # Grids may have been run on another day: they would stretch the drawing of the workers' time.
    grids = _ended({f"grid {one.study}": one.trials for one in found.grids.values() if one.around})
    if not stages:
        return Section("cost", TITLE, (Missing("No trial has been run yet.", finish(found)),))
    done = [one for own in stages.values() for one in own]
    blocks: list[Block] = [
        _by_stage({**stages, **grids}),
        *_workers(done),
        Heading("Spared by pruning"),
        *_pruning(found.study),
        Heading("Spared by memory"),
        Text(_repeats(found)),
    ]
    facts = {"repeats_avoided": found.repeats_avoided}
    return Section("cost", TITLE, tuple(blocks), facts)


def _stages(found: Findings) -> dict[str, list[Trial]]:
    """The trials that a worker has begun and ended, by what they were for."""
    after = {STAGES[stage]: trials for stage, trials in found.stages.items()}
    return _ended({"search": found.study.trials, **after})


def _ended(every: Mapping[str, Sequence[Trial]]) -> dict[str, list[Trial]]:
    ended = {
        stage: [one for one in trials if one.worker and one.started_at and one.finished_at]
        for stage, trials in every.items()
    }
    return {stage: trials for stage, trials in ended.items() if trials}


def _by_stage(stages: dict[str, list[Trial]]) -> Table:
    rows = [
        [
            plain(stage),
            number(len(trials), 0),
            number(sum(one.state == "FAIL" for one in trials), 0),
            number(len({one.worker for one in trials}), 0),
            number(sum(one.epochs_trained or 0 for one in trials), 0),
            plain(_seconds(trials), duration(_seconds(trials))),
            plain(_span(trials), duration(_span(trials))),
        ]
        for stage, trials in stages.items()
    ]
    columns = (
        "stage",
        "trials",
        "failed",
        "workers",
        "epochs",
        "computing time",
        "from start to end",
    )
    note = (
        "Computing time is summed over the workers; from start to end is time on the clock, from"
        " the start of the first trial to the end of the last, pauses included. Epochs are summed"
        " over the folds of a trial; an epoch of a retraining sees the whole training split."
    )
    return Table("stages", "Time by stage", columns, one_group(rows), note)


def _span(trials: Sequence[Trial]) -> float:
    starts = [one.started_at for one in trials if one.started_at]
    ends = [one.finished_at for one in trials if one.finished_at]
    return (max(ends) - min(starts)).total_seconds()


def _pruning(study: Study) -> list[Block]:
    if study.spec["pruner"]["name"] == "none":
        return [Text("Nothing was pruned in this study: every trial was trained to its end.")]
    rows = [(family, *_spared(study, family)) for family in study.families]
    cells = [
        [
            plain(family, family_name(family)),
            number(len(study.of(family, "PRUNED")), 0),
            number(complete, 0),
            number(pruned, 0),
            number(spared, 0),
            number(100 * spared / total if (total := complete + pruned + spared) else None, 1),
            plain(seconds := _spared_seconds(study, family), duration(seconds)),
        ]
        for family, complete, pruned, spared in rows
    ]
    table = Table(
        "pruning",
        "Epochs that pruning spared",
        (
            "family",
            "pruned trials",
            "epochs, complete",
            "epochs, pruned",
            "spared",
            "spared, %",
            "computing time spared",
        ),
        one_group(cells),
        "Spared is an estimate: what the pruned trials would have cost besides, had each been as"
        " long as the mean complete trial of its family.",
    )
    return [draw.epochs(rows), table]


def _spared(study: Study, family: str) -> tuple[float, float, float]:
    """Epochs of complete trials, of pruned ones, and the estimate of what pruning spared."""
    complete = [one.epochs_trained or 0 for one in study.of(family, "COMPLETE")]
    pruned = [one.epochs_trained or 0 for one in study.of(family, "PRUNED")]
    usual = mean(complete) if complete else 0.0
    return sum(complete), sum(pruned), sum(max(usual - one, 0.0) for one in pruned)


def _spared_seconds(study: Study, family: str) -> float:
    """The same estimate in seconds of computing."""
    complete = [one.seconds or 0.0 for one in study.of(family, "COMPLETE")]
    usual = mean(complete) if complete else 0.0
    return sum(max(usual - (one.seconds or 0.0), 0.0) for one in study.of(family, "PRUNED"))


def _repeats(found: Findings) -> str:
    study = found.study
    spent = [one for one in study.trials if one.state in SPENT]
    distinct = len({(one.family, one.config_hash) for one in spent})
    retried = sum(one.retry_of is not None for one in study.trials)
    sentences = [
        f"The {len(spent)} finished trials of the search are {distinct} distinct configurations:"
        " the sampler is asked again until it proposes one that no trial has, whoever runs it.",
        _thrown_away(found.repeats_avoided),
        f"{retried} {'trial' if retried == 1 else 'trials'} took over from an attempt that had been"
        " cut off."
        if retried
        else "No trial had to be taken over from a worker that died.",
    ]
    return " ".join(sentences)


def _thrown_away(repeats: int | None) -> str:
    if repeats is None:
        return "How many repeats that spared was not counted when these trials were proposed."
    if not repeats:
        return "It never proposed a repeat."
    return (
        f"{repeats} {'sample was' if repeats == 1 else 'samples were'} thrown away for that: so"
        " many trainings would have brought nothing new."
    )


def _workers(done: Sequence[Trial]) -> list[Block]:
    names = sorted({str(one.worker) for one in done})
    rows = [_worker(place, name, done) for place, name in enumerate(names, start=1)]
    table = Table(
        "workers",
        "Work by worker, all stages",
        ("worker", "process", "trials", "epochs", "computing time", "seconds an epoch"),
        one_group(rows),
    )
    if len(names) > draw.MOST_WORKERS:
        return [table]
    return [draw.timeline(done), table]


def _worker(place: int, name: str, done: Sequence[Trial]) -> list[Cell]:
    own = [one for one in done if one.worker == name]
    epochs, seconds = sum(one.epochs_trained or 0 for one in own), _seconds(own)
    return [
        number(place, 0),
        code(name),
        number(len(own), 0),
        number(epochs, 0),
        plain(seconds, duration(seconds)),
        number(seconds / epochs if epochs else None, 2),
    ]


def _seconds(trials: Sequence[Trial]) -> float:
    return sum(one.seconds or 0.0 for one in trials)
