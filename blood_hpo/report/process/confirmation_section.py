"""Confirmation: the best configurations again, on fresh folds, with intervals."""

from collections.abc import Sequence

from blood_hpo.report.page import cells
from blood_hpo.report.page.cells import Cell, count, interval, listed, number, plain, settings
from blood_hpo.report.page.document import Block, Cells, Figure, Row, Section, Table
from blood_hpo.report.page.theme import ACCENT, MUTED, WIDTH, colour, drawing, figure
from blood_hpo.report.page.words import said, table
from blood_hpo.report.read.candidates import Candidate, Confirmation
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.search_study import family_name
from blood_hpo.stages import FEWEST_FOLDS


def section(found: Findings) -> Section:
    """The section; it is empty where nothing was confirmed."""
    confirmed = found.confirmation
    if confirmed is None:
        return Section("confirmation")
    families = confirmed.families.items()
    drawn = [_drawn(*one, found.study.objective) for one in families]
    facts = {"method": said("method"), "winner_rule": said("winner-rule", fewest=FEWEST_FOLDS)}
    texts = [
        said("confirmation", images=_images(found.study.spec["data"]["fraction"])),
        facts["winner_rule"],
        *(_verdict(*one) for one in families),
    ]
    texts += [
        f"{family_name(one.family)}: trial {one.number} is not compared: {one.left_out}."
        for one in confirmed.left_out
    ]
    blocks: list[Block] = [*texts, Row(drawn), _table(confirmed, found.study.objective)]
    return Section("confirmation", blocks, facts)


def _images(fraction: float) -> str:
    """Where the images of a confirmation are from: a search of that share left enough, or not."""
    if 2 * fraction <= 1:
        return said("left-images")
    return said("some-images") if fraction < 1 else said("same-images")


def _verdict(family: str, candidates: Sequence[Candidate]) -> str:
    winner, *others = candidates
    ends = "" if winner.low is None else f" (95 % interval {winner.low:.4f} to {winner.high:.4f})"
    text = said("winner", **{**vars(winner), "family": family_name(family)}, ends=ends)
    behind = [f"trial {one.number}" for one in others if one.separable]
    best = [f"trial {one.number}" for one in others if one.rank == 1]
    close = [f"trial {one.number}" for one in others if not one.separable and one.rank > 1]
    text += f" The best mean: {listed(best)}." if best else ""
    text += f" Worse than the best: {listed(behind)}." if behind else ""
    text += f" Not separable from the best: {listed(close)}." if close else ""
    broken = [f"trial {one.number} ({one.collapsed})" for one in candidates if one.collapsed]
    text += f" Folds that collapsed, no better than chance: {listed(broken)}." if broken else ""
    return text if others else f"{text} No other candidate was compared."


def _table(confirmed: Confirmation, objective: str) -> Table:
    groups = {
        family_name(family): [_row(one) for one in candidates]
        for family, candidates in confirmed.families.items()
    }
    one = next(iter(confirmed.families.values()))[0]
    facts = {"objective": objective, "splits": len(one.by_split), "folds": len(one.by_split[0])}
    return table("confirmation", groups, method=said("method"), **facts)


def _row(one: Candidate) -> Cells:
    return {
        "trial": count(one.number),
        "parameters": count(one.parameter_count),
        "mean": number(one.mean, best=one.winner),
        "95 % interval": interval(one.low, one.high),
        "folds": _folds(one),
        "collapsed": number(one.collapsed, 0, best=one.collapsed > 0),
        "search": number(one.search_score),
        "behind": number(one.behind),
        "p": cells.p_value(one.p_value),
        "separable": plain(one.separable, "yes" if one.separable else "no"),
        "what was searched": plain(dict(one.params), settings(one.params)),
    }


def _folds(one: Candidate) -> Cell:
    """All fold scores for programs; for people their range where an interval stands beside."""
    ends = f"{min(one.scores):.4f} to {max(one.scores):.4f}".replace(" ", cells.NO_BREAK)
    each = ", ".join(f"{score:.4f}" for score in one.scores)
    return Cell(one.by_split, each if one.low is None else ends)


def _drawn(family: str, candidates: Sequence[Candidate], objective: str) -> Figure:
    """Confirmed means with their intervals and folds, the winner on top."""
    name = family_name(family)
    with drawing(WIDTH, 1.2 + 0.42 * len(candidates)) as plot:
        axes = plot.subplots()
        for place, one in enumerate(candidates):
            ink = MUTED if one.separable else colour(family)
            if one.low is not None and one.high is not None:
                axes.plot([one.low, one.high], [place] * 2, "|-", color=ink, linewidth=2)
            fill = "none" if one.separable else ink
            axes.plot(one.mean, place, "o", color=ink, markerfacecolor=fill, markersize=8)
            height = [place + 0.25] * len(one.scores)
            axes.plot(one.scores, height, ".", color=MUTED, markersize=4)
            axes.plot(one.search_score, place, "|", color=ACCENT, markersize=14, markeredgewidth=2)
        axes.plot([], [], "|", color=ACCENT, markersize=10, label="score in the search")
        axes.plot([], [], ".", color=MUTED, markersize=4, label="fold")
        axes.set_yticks(range(len(candidates)), [f"trial {one.number}" for one in candidates])
        axes.set(xlabel=objective, title=f"{name}: confirmed on fresh folds")
        axes.set_ylim(len(candidates) - 0.4, -0.6)
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.18))
        axes.grid(visible=False, axis="y")
        shown = "" if candidates[0].low is None else ", 95 % interval"
        facts = {"family": name, "count": len(candidates), "winner": candidates[0].number}
        return figure(plot, "confirmation", f"confirmation-{family}", interval=shown, **facts)
