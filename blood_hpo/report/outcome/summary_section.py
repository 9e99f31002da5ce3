"""The result in brief."""

from blood_hpo.report.outcome.test_section import intervals
from blood_hpo.report.page.cells import Cell, duration, interval, listed, number, plain, settings
from blood_hpo.report.page.document import (
    Block,
    Card,
    Cards,
    Missing,
    Section,
    Table,
    Text,
    one_group,
)
from blood_hpo.report.process.training_section import missing, pending
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.published import ORIGINAL
from blood_hpo.report.read.search_study import family_name
from blood_hpo.report.read.uncertainty import spread

TITLE = "In brief"


def section(found: Findings) -> Section:
    """The section."""
    blocks: list[Block] = [Text(_what_happened(found))]
    if found.final and found.final.models:
        blocks += [_cards(found), _tested(found), *pending(found, found.final)]
    elif found.winners:
        blocks += [_search_cards(found), _searched(found), missing(found)]
    else:
        blocks.append(Missing("No trial of the search is complete yet.", found.next_command))
    return Section("summary", TITLE, tuple(blocks))


def _what_happened(found: Findings) -> str:
    study = found.study
    totals = study.totals.values()
    workers = len({one.worker for one in study.trials if one.worker})
    pruned = sum(one.pruned for one in totals)
    tried = pruned + sum(one.complete for one in totals)
    epochs, seconds = sum(one.epochs for one in totals), sum(one.seconds for one in totals)
    families = listed([family_name(one) for one in study.families])
    fraction, most = study.spec["data"]["fraction"], study.spec["training"]["epochs"]
    share = (
        f"{100 * fraction:.3g} % of the training images" if fraction < 1 else "all training images"
    )
    return (
        f"Study {study.name} tried {tried} configurations of {families} on"
        f" {study.data['label']}, {pruned or 'none'} of which were pruned: {epochs:,} epochs in"
        f" {duration(seconds)} of computing by {workers} {'worker' if workers == 1 else 'workers'}."
        f" Each saw {share}, for at most {most} epochs a fold."
    )


def _cards(found: Findings) -> Cards:
    assert found.final
    cards = []
    for family, models in found.final.families.items():
        ends = intervals(models)["accuracy"]
        theirs = ORIGINAL.get(family)
        beside = f"; the original report has {theirs.accuracy:.4f}" if theirs else ""
        ends_text = f"95 % interval {ends.low:.4f} to {ends.high:.4f}"
        detail = f"{ends_text} after {models[0].trial.epochs} epochs{beside}"
        label = f"{family_name(family)}, test accuracy"
        cards.append(Card(family, label, f"{ends.value:.4f}", detail))
    return Cards(tuple(cards))


def _search_cards(found: Findings) -> Cards:
    return Cards(
        tuple(
            Card(
                family,
                f"{family_name(family)}, best of the search",
                f"{winner.trial.score:.4f}",
                f"mean {found.study.objective} over {len(winner.trial.fold_scores or ())} folds,"
                f" trial {winner.trial.number}",
            )
            for family, winner in found.winners.items()
        )
    )


def _tested(found: Findings) -> Table:
    assert found.final
    rows: list[list[Cell]] = []
    for family, models in found.final.families.items():
        ends = intervals(models)["accuracy"]
        each = [one.predictions.scores for one in models]
        theirs = ORIGINAL.get(family)
        accuracy = spread([one.accuracy for one in each])
        rows.append(
            [
                plain(family, family_name(family)),
                number(accuracy.mean, best=True),
                interval(ends.low, ends.high),
                number(theirs.accuracy if theirs else None),
                number(spread([one.balanced_accuracy for one in each]).mean),
                number(theirs.balanced_accuracy if theirs else None),
                number(spread([one.macro_auc for one in each]).mean),
                number(models[0].trial.parameter_count, 0),
            ]
        )
    columns = (
        "model",
        "test accuracy",
        "95 % interval",
        "original report",
        "balanced accuracy",
        "original report ",
        "macro AUC",
        "parameters",
    )
    means = "Means over seeds. " if len(found.final.models) > len(rows) else ""
    note = f"{means}The original report gives one run each, without an interval."
    return Table("summary", "Results on the test split", columns, one_group(rows), note)


def _searched(found: Findings) -> Table:
    rows: list[list[Cell]] = [
        [
            plain(family, family_name(family)),
            number(winner.trial.score, best=True),
            number(winner.sd),
            number(winner.trial.number, 0),
            number(winner.trial.parameter_count, 0),
            plain(dict(winner.trial.params), settings(winner.trial.params)),
        ]
        for family, winner in found.winners.items()
    ]
    objective = f"cross-validated {found.study.objective}"
    columns = ("model", objective, "sd of folds", "trial", "parameters", "what was searched")
    note = "Scores on held-out folds of the training split, not on the test split."
    return Table("summary", "Best of the search", columns, one_group(rows), note)
