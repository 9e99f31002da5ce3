"""The result in brief."""

from blood_hpo.report.outcome.test_section import intervals
from blood_hpo.report.page.cells import counted, duration, listed
from blood_hpo.report.page.document import Block, Card, Missing, Section
from blood_hpo.report.page.words import said
from blood_hpo.report.process.training_section import pending
from blood_hpo.report.read.final_stage import FinalStage
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.published import ORIGINAL
from blood_hpo.report.read.search_study import family_name


def section(found: Findings) -> Section:
    """The section: it alone names what has not been done yet, and the command that does it."""
    blocks: list[Block] = [_what_happened(found)]
    if found.tested:
        blocks += [_tested(found.tested), *pending(found, found.tested)]
    elif found.winners:
        missing = Missing("No model has been retrained and tested yet.", found.next_command)
        blocks += [_searched(found), missing]
    elif found.study.remaining:
        blocks.append(Missing("No trial of the search is complete yet.", found.next_command))
    else:
        command = f"blood-hpo trial list {found.study.name}"
        blocks.append(Missing("The search has ended without a complete trial.", command))
    return Section("summary", blocks)


def _what_happened(found: Findings) -> str:
    study = found.study
    totals = study.totals.values()
    pruned = sum(one.pruned for one in totals)
    tried = pruned + sum(one.complete for one in totals)
    fraction = study.spec["data"]["fraction"]
    return said(
        "happened",
        name=study.name,
        tried=tried,
        families=listed([family_name(one) for one in study.families]),
        data=study.data["label"],
        pruned=f", {pruned} of which were pruned" if pruned else "",
        epochs=sum(one.epochs for one in totals),
        time=duration(sum(one.seconds for one in totals)),
        workers=counted(study.workers, "worker"),
        share=f"{100 * fraction:.3g} % of the" if fraction < 1 else "all",
        most=study.spec["training"]["epochs"],
    )


def _tested(final: FinalStage) -> list[Card]:
    cards = []
    for family, models in final.families.items():
        ends, theirs = intervals(models)["accuracy"], ORIGINAL.get(family)
        beside = f"; the original report has {theirs.accuracy:.4f}" if theirs else ""
        facts = {"ends": ends, "seeds": counted(len(models), "seed"), "beside": beside}
        label = f"{family_name(family)}, test accuracy"
        cards.append(Card(family, label, f"{ends.value:.4f}", said("tested", **facts)))
    return cards


def _searched(found: Findings) -> list[Card]:
    confirmed = found.confirmation.families if found.confirmation else {}
    cards = []
    for family, winner in found.winners.items():
        name, objective, trial = family_name(family), found.study.objective, winner.trial
        if winner.confirmed:
            one = confirmed[family][0]
            text = said("confirmed", **vars(one), objective=objective, folds=len(one.scores))
            cards.append(Card(family, f"{name}, confirmed", f"{one.mean:.4f}", text))
        else:
            folds = len(trial.fold_scores or ())
            text = said("best", objective=objective, folds=folds, trial=trial.number)
            cards.append(Card(family, f"{name}, best of the search", f"{trial.score:.4f}", text))
    return cards
