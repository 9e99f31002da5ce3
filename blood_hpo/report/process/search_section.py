"""How the search went: scores, and what mattered."""

from collections.abc import Mapping
from dataclasses import replace

from blood_hpo.report.page.cells import Cell, count, duration, listed, number, plain, settings
from blood_hpo.report.page.document import Block, Cells, Heading, Missing, Row, Section
from blood_hpo.report.page.words import said, table
from blood_hpo.report.process import search_figures as draw
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.importance import Importance, importance
from blood_hpo.report.read.search_study import Place, Study, family_name, searched

TOP = 5


def section(found: Findings) -> Section:
    """The section."""
    study = found.study
    forests = {one: forest for one in study.families if (forest := _forest(found, one))}
    blocks = [*_progress(found), *_histories(study), *_leaderboard(study), *_collapsed(study)]
    facts = {
        family: {
            "held_out_r2": forest.held_out,
            "trials": forest.trials,
            "epoch": epoch,
            "r2_lost": {name: value[0] for name, value in forest.values.items()},
        }
        for family, (forest, epoch) in forests.items()
    }
    blocks += _importances(forests)
    return Section("search", blocks, {"importance": facts})


def _progress(found: Findings) -> list[Block]:
    rows = [
        {
            "family": plain(one.family, family_name(one.family)),
            "budget": count(one.budget),
            "complete": count(one.complete),
            "pruned": count(one.pruned),
            "failed": count(one.failed),
            "unfinished": count(one.unfinished),
            "epochs": count(one.epochs),
            "computing time": plain(round(one.seconds, 6), duration(one.seconds)),
        }
        for one in (found.study.totals[family] for family in found.study.families)
    ]
    left, budget = found.study.remaining, table("budget", rows)
    if not left:
        return [budget]
    return [Missing(said("unfinished", left=left), found.next_command), budget]


def _histories(study: Study) -> list[Block]:
    drawn = [
        draw.history(family, scored, study.objective)
        for family in study.places
        for scored in [[one for one in study.spent(family) if one.score is not None]]
    ]
    return [Row(drawn)] if drawn else []


def _leaderboard(study: Study) -> list[Block]:
    groups = {
        family_name(family): [_place(study, one) for one in places[:TOP]]
        for family, places in study.places.items()
    }
    facts = {"top": TOP, "objective": study.objective}
    return [table("leaderboard", groups, **facts)] if groups else []


def _place(study: Study, one: Place) -> Cells:
    return {
        "rank": count(one.rank),
        "trial": count(one.trial.number),
        study.objective: _score(study, one),
        "sd of folds": number(one.sd),
        "parameters": count(one.trial.parameter_count),
        "what was searched": plain(dict(one.trial.params), settings(one.trial.params)),
    }


def _score(study: Study, one: Place) -> Cell:
    cell = number(one.trial.score, best=one.rank == 1)
    broken = study.collapsed.get(one.trial.number)
    return replace(cell, text=f"{cell.text} ({broken} collapsed)") if broken else cell


def _collapsed(study: Study) -> list[Block]:
    """Which trials have folds that learnt nothing: nothing is said where there is none."""
    if not study.collapsed:
        return []
    trials = [f"trial {trial} ({folds})" for trial, folds in study.collapsed.items()]
    return [said("collapsed", trials=listed(trials))]


def _forest(found: Findings, family: str) -> tuple[Importance, int] | None:
    """The importances, and the epoch whose scores they explain."""
    trials = [one for one in found.study.spent(family) if one.number in found.early_scores]
    early = [found.early_scores[one.number] for one in trials]
    params, scores = [one.params for one in trials], [score for _, score in early]
    forest = importance(searched(found.study.spec, family), params, scores)
    return (forest, early[0][0]) if forest else None


def _importances(forests: Mapping[str, tuple[Importance, int]]) -> list[Block]:
    if not forests:
        return []
    fits = ", ".join(
        f"{forest.held_out:.2f} ({family_name(family)}, {forest.trials} trials after epoch {epoch})"
        for family, (forest, epoch) in forests.items()
    )
    drawn = [draw.importance(family, one.values) for family, (one, _) in forests.items()]
    return [Heading("What mattered"), said("importance", fits=fits), Row(drawn)]
