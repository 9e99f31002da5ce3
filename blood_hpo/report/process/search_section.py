"""How the search went: scores, and what mattered."""

from collections.abc import Sequence
from dataclasses import replace

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.cells import (
    Cell,
    duration,
    listed,
    number,
    plain,
    setting,
    settings,
    words,
)
from blood_hpo.report.page.document import (
    Block,
    Figure,
    Figures,
    Group,
    Heading,
    Missing,
    Section,
    Table,
    Text,
    one_group,
)
from blood_hpo.report.process import search_figures as draw
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.importance import FEWEST_TRIALS, Importance, importance, marginal_means
from blood_hpo.report.read.search_study import SPENT, Place, Study, family_name
from blood_hpo.report.read.study_text import STUDIES

TOP = 5


def section(found: Findings) -> Section:
    """The section."""
    study = found.study
    forests = {one: _forest(found, one) for one in study.families}
    blocks: list[Block] = [*_progress(found), *_histories(found), _leaderboard(study)]
    blocks += _collapsed(study)
    blocks += [Heading("What mattered"), *_importances(found, forests), *_marginals(study)]
    facts = {
        "importance": {
            family: {
                "held_out_r2": forest.held_out,
                "trials": forest.trials,
                "epoch": _epoch(found, family),
                "r2_lost": {name: value[0] for name, value in forest.values.items()},
            }
            for family, forest in forests.items()
            if forest
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
        "family",
        "budget",
        "complete",
        "pruned",
        "failed",
        "unfinished",
        "epochs",
        "computing time",
    )
    table = Table(
        "budget",
        "Trials by family",
        columns,
        one_group(rows),
        "Complete and pruned trials spend budget, failed ones do not. Epochs are summed over the"
        " folds, computing time over the workers.",
    )
    if not found.study.remaining:
        return [table]
    text = f"The search is not finished: {found.study.remaining} trials of its budget are left."
    return [Missing(text, found.next_command), table]


def _histories(found: Findings) -> list[Block]:
    study = found.study
    blocks: list[Block] = []
    drawn: list[Figure] = []
    for family in study.families:
        trials = [one for one in study.of(family, *SPENT) if one.score is not None]
        if any(one.state == "COMPLETE" for one in trials):
            drawn.append(draw.history(family, trials, study.objective))
        else:
            text = f"No trial of the {family_name(family)} is complete."
            blocks.append(Missing(text, found.next_command))
    return [*([Figures(tuple(drawn))] if drawn else []), *blocks]


def _leaderboard(study: Study) -> Table:
    groups = [
        Group(
            tuple(
                (
                    number(one.rank, 0),
                    number(one.trial.number, 0),
                    _score(study, one),
                    number(one.sd),
                    number(one.trial.parameter_count, 0),
                    plain(dict(one.trial.params), settings(one.trial.params)),
                )
                for one in study.places.get(family, ())[:TOP]
            ),
            family_name(family),
        )
        for family in study.families
    ]
    return Table(
        "leaderboard",
        f"Best {TOP} of the search by {study.objective}",
        ("rank", "trial", study.objective, "sd of folds", "parameters", "what was searched"),
        tuple(group for group in groups if group.rows),
        "The first of many noisy scores is partly the luckiest: see the confirmation before calling"
        " it the winner.",
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


def _importances(found: Findings, forests: dict[str, Importance | None]) -> list[Block]:
    drawn = tuple(
        draw.importance(family, forest.values) for family, forest in forests.items() if forest
    )
    blocks: list[Block] = []
    if drawn:
        fits = ", ".join(
            f"{forest.held_out:.2f} ({family_name(family)}, {forest.trials} trials after epoch"
            f" {_epoch(found, family)})"
            for family, forest in forests.items()
            if forest
        )
        blocks = [
            Text(
                "Permutation importance of a random forest: it predicts a trial's score from its"
                " hyperparameters, and loses accuracy when one of them is shuffled. The scores are"
                " those after the last epoch that all trials reached, pruned ones too; all errors"
                f" are on trials that the forest has not seen. Its R² there is {fits}; near 0 it"
                " has learnt nothing, and the bars mean nothing."
            ),
            Figures(drawn),
        ]
    few = [family for family, forest in forests.items() if forest is None]
    return [*blocks, *([_too_few(found.study, few)] if few else [])]


def _too_few(study: Study, families: Sequence[str]) -> Missing:
    names = [family_name(one) for one in families]
    budgets = " ".join(f"--budget {one}={2 * study.totals[one].budget}" for one in families)
    return Missing(
        f"Importances need {FEWEST_TRIALS} trials of a family; {listed(names)}"
        f" {'has' if len(names) == 1 else 'have'} fewer. With a larger budget the same study goes"
        " on (in this page's folder).",
        f"blood-hpo run {STUDIES}/{study.name}.toml {budgets}",
    )


def _marginals(study: Study) -> list[Block]:
    boards = {one: study.leaderboard(one) for one in study.families}
    drawn: list[Block] = [
        draw.marginals(family, study.space(family), board)
        for family, board in boards.items()
        if board and study.space(family)
    ]
    groups = tuple(
        Group(
            tuple(
                (
                    plain(name, words(name)),
                    plain(choice, setting(choice)),
                    number(len(scores), 0),
                    number(float(scores.mean()) if len(scores) else None),
                    number(float(scores.std(ddof=1)) if len(scores) > 1 else None),
                )
                for name, choice, scores in marginal_means(study.space(family), board)
            ),
            family_name(family),
        )
        for family, board in boards.items()
        if board
    )
    if not drawn:
        return []
    table = Table(
        "marginal-means",
        "Marginal means of the search (not effects)",
        ("hyperparameter", "value", "complete trials", "mean score", "sd"),
        tuple(group for group in groups if group.rows),
        "Over complete trials only, all other hyperparameters as they came.",
        folded=True,
    )
    return [*drawn, *([table] if table.groups else [])]
