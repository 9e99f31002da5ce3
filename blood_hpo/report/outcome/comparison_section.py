"""Comparison: the models with each other, with the original report, with published results."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean

from blood_hpo.report.outcome.test_section import contributed, intervals
from blood_hpo.report.page.cells import (
    MINUS,
    NO_BREAK,
    Cell,
    count,
    interval,
    number,
    p_value,
    plain,
)
from blood_hpo.report.page.document import Block, Cells, Figure, Row, Section, Table
from blood_hpo.report.page.theme import INK, MARKERS, MUTED, WIDE, colour, drawing, figure
from blood_hpo.report.page.words import said, table
from blood_hpo.report.read.final_stage import FinalStage, Model
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.published import MEDMNIST_V2, ORIGINAL, PUBLISHED, Published
from blood_hpo.report.read.scores import SCORES
from blood_hpo.report.read.search_study import family_name
from blood_hpo.report.read.uncertainty import Interval, difference, holm, mcnemar

Pair = tuple[str, str]
"""Two families."""


def section(found: Findings) -> Section:
    """The section; it is empty where no model was tested."""
    final = found.tested
    if final is None:
        return Section("comparison")
    groups = {
        "This study": [_row(_ours(*one), 4, best=True) for one in final.families.items()],
        "The original report": [_row(one, 4) for one in ORIGINAL.values()],
        "MedMNIST v2": [_row(one, 3) for one in MEDMNIST_V2],
    }
    blocks: list[Block] = [*_between(final), _drawn(final), table("published", groups)]
    if found.study.synthetic:
        blocks.insert(0, said("published-synthetic"))
    return Section("comparison", blocks)


def _between(final: FinalStage) -> list[Block]:
    each = {family: contributed(models) for family, models in final.families.items()}
    found = {
        (one, two): {name: difference(each[one][name], each[two][name]) for name in each[one]}
        for one, two in combinations(each, 2)
    }
    if not found:
        return []
    differences = "; ".join(
        f"{family_name(first)} less {family_name(second)} {one['accuracy'].value:+.4f}"
        f" ({one['accuracy'].low:+.4f} to {one['accuracy'].high:+.4f})"
        for (first, second), one in found.items()
    ).replace("-", MINUS)
    beside = Row((_differences(found), _mcnemar(final)), "Model against model, by every score")
    return [said("between", differences=differences), beside]


def _differences(found: Mapping[Pair, Mapping[str, Interval]]) -> Table:
    rows = [
        {
            "models": _names(pair),
            "score": plain(SCORES[name]),
            "first less second": number(one.value, sign=True),
            "95 % interval": interval(one.low, one.high),
        }
        for pair, scores in found.items()
        for name, one in scores.items()
    ]
    return table("differences", rows)


def _mcnemar(final: FinalStage) -> Table:
    seeds = [
        ((first, second), a.trial.replicate, mcnemar(a.predictions.correct, b.predictions.correct))
        for (first, ours), (second, theirs) in combinations(final.families.items(), 2)
        for a in ours
        for b in theirs
        if a.trial.replicate == b.trial.replicate
    ]
    adjusted = holm([test.p_value for *_, test in seeds])
    rows = [
        {
            "models": _names(pair),
            "seed": count(seed),
            "only first right": count(test.only_first),
            "only second right": count(test.only_second),
            "p": p_value(test.p_value),
            "Holm's p": p_value(after),
        }
        for (pair, seed, test), after in zip(seeds, adjusted, strict=True)
    ]
    return table("mcnemar", rows)


def _names(pair: Pair) -> Cell:
    return plain(" ".join(pair), " and ".join(map(family_name, pair)))


def _drawn(final: FinalStage) -> Figure:
    """Test accuracies on one axis."""
    rows: list[tuple[float, str, str, Interval | None]]
    rows = [(one.accuracy, one.model, one.family, None) for one in PUBLISHED]
    for family, models in final.families.items():
        found = intervals(models)["accuracy"]
        rows.append((found.value, family_name(family), family, found))
    rows.sort(key=lambda row: row[:2])
    with drawing(WIDE, 1.0 + 0.26 * len(rows)) as plot:
        axes = plot.subplots()
        axes.set_yticks(range(len(rows)), [row[1] for row in rows])
        for place, (value, _, family, ours) in enumerate(rows):
            ink = colour(family) if family else MUTED
            weight = "bold" if ours else "normal"
            label = axes.get_yticklabels()[place]
            label.set(fontweight=weight, color=INK if ours else MUTED)
            if ours:
                span = [[value - ours.low], [ours.high - value]]
                axes.errorbar(value, place, xerr=span, color=ink, capsize=4, elinewidth=2)
            marker, fill = MARKERS.get(family, "D"), ink if ours else "none"
            axes.plot(value, place, marker, markeredgecolor=ink, markerfacecolor=fill, markersize=8)
            end, text = ours.high if ours else value, f"{value:.4f}" if family else f"{value:.3f}"
            axes.text(end, place, f"{NO_BREAK * 4}{text}", va="center", fontweight=weight)
        axes.set(xlabel="test accuracy", title="Compared with published results")
        axes.margins(x=0.12)
        return figure(plot, "comparison")


def _ours(family: str, models: Sequence[Model]) -> Published:
    each = [one.predictions.scores for one in models]
    return Published(
        model=family,
        accuracy=fmean(one.accuracy for one in each),
        balanced_accuracy=fmean(one.balanced_accuracy for one in each),
        auc=fmean(one.macro_auc for one in each),
        parameters=models[0].trial.parameter_count,
        epochs=models[0].trial.epochs,
        note=f"mean of {len(each)} seeds; epochs of the first" if len(each) > 1 else "",
    )


def _row(one: Published, digits: int, *, best: bool = False) -> Cells:
    return {
        "model": plain(one.model, family_name(one.model)),
        "accuracy": number(one.accuracy, digits, best=best),
        "balanced accuracy": number(one.balanced_accuracy),
        "macro AUC": number(one.auc, 4 if best else 3),
        "parameters": count(one.parameters),
        "epochs": count(one.epochs),
        "note": plain(one.note),
    }
