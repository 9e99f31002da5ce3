"""How the search went: scores, and what mattered."""

from collections.abc import Mapping
from dataclasses import replace

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.cells import Cell, duration, listed, number, plain, settings
from blood_hpo.report.page.document import (
    Block,
    Group,
    Heading,
    Missing,
    Row,
    Section,
    Table,
    Text,
    one_group,
)
from blood_hpo.report.process import search_figures as draw
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.importance import Importance, importance
from blood_hpo.report.read.search_study import SPENT, Place, Study, family_name

TOP = 5


def section(found: Findings) -> Section:
    """The section."""
    study = found.study
    forests = {one: forest for one in study.families if (forest := _forest(found, one))}
    blocks: list[Block] = [*_progress(found), *_histories(study), *_leaderboard(study)]
    blocks += [*_collapsed(study), *_importances(found, forests)]
    facts = {
        "importance": {
            family: {
                "held_out_r2": forest.held_out,
                "trials": forest.trials,
                "epoch": _epoch(found, family),
                "r2_lost": {name: value[0] for name, value in forest.values.items()},
            }
            for family, forest in forests.items()
        }
    }
    return Section("search", "How the search went", tuple(blocks), facts)


def _progress(found: Findings) -> list[Block]:
    totals = [found.study.totals[family] for family in found.study.families]
    rows = [
        [
            plain(one.family, family_name(one.family)),
            *(number(count, 0) for count in (one.budget, one.complete, one.pruned, one.failed)),
            number(one.unfinished, 0),
            number(one.epochs, 0),
            plain(one.seconds, duration(one.seconds)),
        ]
        for one in totals
    ]
    columns = (
        *("family", "budget", "complete", "pruned", "failed", "unfinished", "epochs"),
        "computing time",
    )
    note = (
        "Complete and pruned trials spend budget, failed ones do not. Epochs are summed over the"
        " folds, computing time over the workers."
    )
    table = Table("budget", "Trials by family", columns, one_group(rows), note)
    if not found.study.remaining:
        return [table]
    text = f"The search is not finished: {found.study.remaining} trials of its budget are left."
    return [Missing(text, found.next_command), table]


def _histories(study: Study) -> list[Block]:
    by_family = {
        family: [one for one in study.of(family, *SPENT) if one.score is not None]
        for family in study.families
        if study.places.get(family)
    }
    drawn = [draw.history(*one, study.objective) for one in by_family.items()]
    return [Row(tuple(drawn))] if drawn else []


def _leaderboard(study: Study) -> list[Block]:
    groups = tuple(
        Group(tuple(_place(study, one) for one in places[:TOP]), family_name(family))
        for family in study.families
        if (places := study.places.get(family, ()))
    )
    if not groups:
        return []
    columns = ("rank", "trial", study.objective, "sd of folds", "parameters", "what was searched")
    note = "The first of many noisy scores is partly the luckiest: the confirmation decides."
    caption = f"Best {TOP} of the search by {study.objective}"
    return [Table("leaderboard", caption, columns, groups, note, folded=True)]


def _place(study: Study, one: Place) -> tuple[Cell, ...]:
    return (
        number(one.rank, 0),
        number(one.trial.number, 0),
        _score(study, one),
        number(one.sd),
        number(one.trial.parameter_count, 0),
        plain(dict(one.trial.params), settings(one.trial.params)),
    )


def _score(study: Study, one: Place) -> Cell:
    cell = number(one.trial.score, best=one.rank == 1)
    broken = study.collapsed.get(one.trial.number)
    return replace(cell, text=f"{cell.text} ({broken} collapsed)") if broken else cell


def _collapsed(study: Study) -> list[Block]:
    """Which trials have folds that learnt nothing: nothing is said where there is none."""
    if not study.collapsed:
        return []
    trials = [f"trial {trial} ({folds})" for trial, folds in study.collapsed.items()]
    return [
        Text(
            "Folds that collapsed, no better than a network that gives every image the same answer:"
            f" {listed(trials)}. Such a mean says little about its configuration."
        )
    ]


def _early(found: Findings, family: str) -> list[TrialRecord]:
    return [one for one in found.study.of(family, *SPENT) if one.number in found.early_scores]


def _epoch(found: Findings, family: str) -> int:
    return found.early_scores[_early(found, family)[0].number][0]


def _forest(found: Findings, family: str) -> Importance | None:
    trials = _early(found, family)
    scores = [found.early_scores[one.number][1] for one in trials]
    return importance(found.study.space(family), [one.params for one in trials], scores)


def _importances(found: Findings, forests: Mapping[str, Importance]) -> list[Block]:
    if not forests:
        return []
    fits = ", ".join(
        f"{forest.held_out:.2f} ({family_name(family)}, {forest.trials} trials after epoch"
        f" {_epoch(found, family)})"
        for family, forest in forests.items()
    )
    said = (
        "Permutation importance of a random forest that predicts a trial's score after the last"
        " epoch that all trials reached, pruned ones too. All errors are on trials that it has not"
        f" seen. Its R² there is {fits}; near 0 the bars mean nothing."
    )
    drawn = tuple(draw.importance(family, one.values) for family, one in forests.items())
    return [Heading("What mattered"), Text(said), Row(drawn)]
