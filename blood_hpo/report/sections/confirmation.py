"""Confirmation: the best configurations again, on fresh folds, with intervals."""

from blood_hpo.report.cells import interval, listed, number, plain, settings
from blood_hpo.report.confirmed import Candidate, Confirmation
from blood_hpo.report.document import Block, Figures, Group, Missing, Section, Table, Text
from blood_hpo.report.figures import comparison as draw
from blood_hpo.report.findings import Findings
from blood_hpo.report.record import family_name
from blood_hpo.report.sections.commands import finish
from blood_hpo.report.uncertainty import Interval

TITLE = "Confirmation"


def section(found: Findings) -> Section:
    """The section."""
    opening = Text(
        "The best score of a search is the best of many noisy measurements, so part of it is luck."
        " The best few configurations of each family are therefore trained again on fresh folds,"
        " all on the same ones, and the best mean there wins."
    )
    confirmed = found.confirmation
    if confirmed is None:
        missing = Missing("The best configurations have not been confirmed yet.", finish(found))
        return Section("confirmation", TITLE, (opening, missing))
    drawn = tuple(
        draw.confirmation(family, [_drawn(one) for one in candidates], found.study.objective)
        for family, candidates in confirmed.families.items()
    )
    verdicts = [
        Text(_verdict(family, candidates)) for family, candidates in confirmed.families.items()
    ]
    blocks: list[Block] = [opening, Figures(drawn), *verdicts, _table(found, confirmed)]
    facts = {"splits": confirmed.splits, "folds": confirmed.folds, "method": confirmed.method}
    return Section("confirmation", TITLE, tuple(blocks), facts)


def _drawn(one: Candidate) -> tuple[str, Interval, float, bool]:
    confirmed = Interval(one.mean, one.low, one.high)
    return f"trial {one.trial}", confirmed, one.search_score, one.told_apart


def _verdict(family: str, candidates: tuple[Candidate, ...]) -> str:
    winner, *others = candidates
    close = [f"trial {one.trial}" for one in others if not one.told_apart]
    rest = f"It cannot be told from {listed(close)}." if close else "All others are behind it."
    if not others:
        rest = "There was no other candidate."
    return (
        f"{family_name(family)}: trial {winner.trial} wins with {winner.mean:.4f} (95 % interval"
        f" {winner.low:.4f} to {winner.high:.4f}), place {winner.search_rank} of the search. {rest}"
    )


def _table(found: Findings, confirmed: Confirmation) -> Table:
    groups = tuple(
        Group(
            tuple(
                (
                    number(one.trial, 0),
                    number(one.mean, best=one.rank == 1),
                    interval(one.low, one.high),
                    number(one.search_score),
                    number(one.behind),
                    number(one.p_value, 3),
                    plain(one.told_apart, "yes" if one.told_apart else "no")
                    if one.rank > 1
                    else plain(None),
                    plain(dict(one.params), settings(one.params)),
                )
                for one in candidates
            ),
            family_name(family),
        )
        for family, candidates in confirmed.families.items()
    )
    columns = (
        "trial",
        "mean",
        "95 % interval",
        "search",
        "behind",
        "p",
        "told apart",
        "what was searched",
    )
    note = (
        f"{confirmed.splits} splits of {confirmed.folds} folds. Search: the score there; behind:"
        f" mean paired difference to the winner. {confirmed.method.rstrip('.')}."
    )
    return Table("confirmation", f"Confirmed {found.study.objective}", columns, groups, note)
