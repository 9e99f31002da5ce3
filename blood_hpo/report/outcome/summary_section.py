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
    else:
        blocks.append(Missing("No trial of the search is complete yet.", found.next_command))
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
    cards = []
    for family, winner in found.winners.items():
        folds = len(winner.trial.fold_scores or ())
        facts = {"objective": found.study.objective, "folds": folds, "trial": winner.trial.number}
        label = f"{family_name(family)}, best of the search"
        cards.append(Card(family, label, f"{winner.trial.score:.4f}", said("best", **facts)))
    return cards
