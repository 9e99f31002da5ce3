"""Confirmation: the best configurations again, on fresh folds, with intervals."""

from blood_hpo.report.page.cells import NO_BREAK, Cell, interval, listed, number, plain, settings
from blood_hpo.report.page.document import Block, Group, Row, Section, Table, Text
from blood_hpo.report.process import comparison_figures as draw
from blood_hpo.report.read.candidates import Candidate, Confirmation
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.search_study import family_name
from blood_hpo.stages import METHOD, WINNER_RULE

TITLE = "Confirmation"


OPENING = (
    "The best score of a search is the best of many noisy measurements, so part of it is luck. The"
    " best few configurations of each family are therefore trained again on fresh folds, all on the"
    " same ones."
)


def section(found: Findings) -> Section:
    """The section; it is empty where nothing was confirmed."""
    confirmed = found.confirmation
    if confirmed is None:
        return Section("confirmation", TITLE, ())
    families = confirmed.families.items()
    drawn = tuple(draw.confirmation(*one, found.study.objective) for one in families)
    texts = [OPENING, WINNER_RULE, *(_verdict(*one) for one in families)]
    texts += map(_left_out, confirmed.left_out)
    facts = {"method": METHOD, "winner_rule": WINNER_RULE}
    blocks: list[Block] = [Text(one) for one in texts]
    blocks += [Row(drawn), _table(found, confirmed)]
    return Section("confirmation", TITLE, tuple(blocks), facts)


def _left_out(one: Candidate) -> str:
    return f"{family_name(one.family)}: trial {one.number} is not compared: {one.left_out}."


def _verdict(family: str, candidates: tuple[Candidate, ...]) -> str:
    winner, *others = candidates
    said = (
        f"{family_name(family)}: trial {winner.number} wins with {winner.mean:.4f}{_ends(winner)},"
        f" place {winner.rank} here and {winner.search_rank} in the search."
    )
    behind = [f"trial {one.number}" for one in others if one.separable]
    close = [f"trial {one.number}" for one in others if not one.separable]
    said += f" Behind the best for certain: {listed(behind)}." if behind else ""
    said += f" Not separable from the best: {listed(close)}." if close else ""
    broken = [f"trial {one.number} ({one.collapsed})" for one in candidates if one.collapsed]
    said += f" Folds that collapsed, no better than chance: {listed(broken)}." if broken else ""
    return said if others else f"{said} There was no other candidate."


def _ends(one: Candidate) -> str:
    return "" if one.low is None else f" (95 % interval {one.low:.4f} to {one.high:.4f})"


def _folds(one: Candidate) -> Cell:
    """All fold scores for programs; for people their range where an interval stands beside."""
    ends = f"{min(one.scores):.4f} to {max(one.scores):.4f}".replace(" ", NO_BREAK)
    each = ", ".join(f"{score:.4f}" for score in one.scores)
    return Cell(one.by_split, each if one.low is None else ends)


def _table(found: Findings, confirmed: Confirmation) -> Table:
    groups = tuple(
        Group(tuple(map(_row, candidates)), family_name(family))
        for family, candidates in confirmed.families.items()
    )
    columns = (
        *("trial", "parameters", "mean", "95 % interval", "folds", "collapsed", "search", "behind"),
        *("p", "separable", "what was searched"),
    )
    one = next(iter(confirmed.families.values()))[0]
    note = (
        f"{one.splits} splits of {len(one.by_split[0])} folds. Search: the score there;"
        " behind: mean paired difference to the best mean; p: adjusted for all pairs of"
        f" candidates; the winner stands out. {METHOD}."
    )
    caption = f"Confirmed {found.study.objective}, fold by fold"
    return Table("confirmation", caption, columns, groups, note, folded=True)


def _row(one: Candidate) -> tuple[Cell, ...]:
    return (
        number(one.number, 0),
        number(one.parameter_count, 0),
        number(one.mean, best=one.winner),
        interval(one.low, one.high),
        _folds(one),
        number(one.collapsed, 0, best=one.collapsed > 0),
        number(one.search_score),
        number(one.behind),
        number(one.p_value, 3),
        plain(one.separable, "yes" if one.separable else "no"),
        plain(dict(one.params), settings(one.params)),
    )
