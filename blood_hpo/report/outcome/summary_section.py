"""The result in brief."""

from blood_hpo.report.outcome.test_section import intervals
from blood_hpo.report.page.cells import duration, listed
from blood_hpo.report.page.document import Block, Card, Cards, Missing, Section, Text
from blood_hpo.report.process.training_section import pending
from blood_hpo.report.read.final_stage import FinalStage
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.published import ORIGINAL
from blood_hpo.report.read.search_study import family_name


def section(found: Findings) -> Section:
    """The section: it alone names what has not been done yet, and the command that does it."""
    blocks: list[Block] = [Text(_what_happened(found))]
    if found.final and found.final.models:
        blocks += [_tested(found.final), *pending(found, found.final)]
    elif found.winners:
        missing = Missing("No model has been retrained and tested yet.", found.next_command)
        blocks += [_searched(found), missing]
    else:
        blocks.append(Missing("No trial of the search is complete yet.", found.next_command))
    return Section("summary", "In brief", tuple(blocks))


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
        f" {study.data['label']}{f', {pruned} of which were pruned' if pruned else ''}:"
        f" {epochs:,} epochs in {duration(seconds)} of computing by {workers}"
        f" {'worker' if workers == 1 else 'workers'}. Each saw {share}, for at most {most} epochs a"
        " fold."
    )


def _tested(final: FinalStage) -> Cards:
    cards = []
    for family, models in final.families.items():
        ends, theirs = intervals(models)["accuracy"], ORIGINAL.get(family)
        beside = f"; the original report has {theirs.accuracy:.4f}" if theirs else ""
        detail = (
            f"95 % interval {ends.low:.4f} to {ends.high:.4f} after {models[0].trial.epochs} epochs"
        )
        label = f"{family_name(family)}, test accuracy"
        cards.append(Card(family, label, f"{ends.value:.4f}", f"{detail}{beside}"))
    return Cards(tuple(cards))


def _searched(found: Findings) -> Cards:
    return Cards(
        tuple(
            Card(
                family,
                f"{family_name(family)}, best of the search",
                f"{winner.trial.score:.4f}",
                f"mean {found.study.objective} over {len(winner.trial.fold_scores or ())} held-out"
                f" folds of the training split, trial {winner.trial.number}",
            )
            for family, winner in found.winners.items()
        )
    )
