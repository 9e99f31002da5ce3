"""Comparison: the models with each other, with the original report, with published results."""

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from blood_hpo.report.outcome.test_section import contributed, intervals
from blood_hpo.report.page.cells import MINUS, Cell, interval, number, plain
from blood_hpo.report.page.document import (
    Block,
    Figure,
    Group,
    Row,
    Section,
    Table,
    Text,
    one_group,
)
from blood_hpo.report.process import comparison_figures as draw
from blood_hpo.report.read.final_stage import FinalStage, Model
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.published import MEDMNIST_V2, ORIGINAL, SOURCES, Published
from blood_hpo.report.read.scores import SCORES
from blood_hpo.report.read.search_study import family_name
from blood_hpo.report.read.uncertainty import Interval, difference, holm, mcnemar

TITLE = "Comparison"

Pairs = Sequence[tuple[tuple[str, list[Model]], tuple[str, list[Model]]]]
"""Two families, each with its models."""


def section(found: Findings) -> Section:
    """The section; it is empty where no model was tested."""
    final = found.final
    if final is None or not final.models:
        return Section("comparison", TITLE, ())
    blocks: list[Block] = []
    if found.study.synthetic:
        said = "The images are synthetic: beside published results these numbers mean nothing."
        blocks.append(Text(said))
    blocks += [*_between(final), _drawn(final), _published(final)]
    return Section("comparison", TITLE, tuple(blocks))


def _between(final: FinalStage) -> list[Block]:
    pairs = list(combinations(final.families.items(), 2))
    if not pairs:
        return []
    accuracies = [
        (first, second, _difference(ours, theirs)["accuracy"])
        for (first, ours), (second, theirs) in pairs
    ]
    said = "; ".join(
        f"{family_name(first)} less {family_name(second)} {found.value:+.4f}"
        f" ({found.low:+.4f} to {found.high:+.4f})"
        for first, second, found in accuracies
    ).replace("-", MINUS)
    tables = Row((_differences(pairs), _mcnemar(pairs)), "Model against model, by every score")
    return [Text(f"Image by image, accuracy with its 95 % interval: {said}."), tables]


def _difference(ours: Sequence[Model], theirs: Sequence[Model]) -> dict[str, Interval]:
    first, second = contributed(ours), contributed(theirs)
    return {name: difference(values, second[name]) for name, values in first.items()}


def _differences(pairs: Pairs) -> Table:
    rows: list[list[Cell]] = []
    for (first, ours), (second, theirs) in pairs:
        for name, found in _difference(ours, theirs).items():
            rows.append(
                [
                    _names(first, second),
                    plain(SCORES[name]),
                    number(found.value, sign=True),
                    interval(found.low, found.high),
                ]
            )
    return Table(
        "differences",
        "Differences between models",
        ("models", "score", "first less second", "95 % interval"),
        one_group(rows),
        "By the bootstrap over seeds and images; the same images are drawn for both models, so that"
        " what both find hard cancels.",
    )


def _mcnemar(pairs: Pairs) -> Table:
    seeds = [
        (first, second, a.seed_number, mcnemar(a.predictions.correct, b.predictions.correct))
        for (first, ours), (second, theirs) in pairs
        for a, b in zip(ours, theirs, strict=False)
    ]
    adjusted = holm([test.p_value for *_, test in seeds])
    rows = [
        [
            _names(first, second),
            number(seed, 0),
            number(test.only_first, 0),
            number(test.only_second, 0),
            Cell(test.p_value, _small(test.p_value)),
            Cell(after, _small(after)),
        ]
        for (first, second, seed, test), after in zip(seeds, adjusted, strict=True)
    ]
    return Table(
        "mcnemar",
        "McNemar's exact test, seed by seed",
        ("models", "seed", "only first right", "only second right", "p", "Holm's p"),
        one_group(rows),
        "Of the images that exactly one of two models classifies correctly: the probability of a"
        " split at least this uneven if both were equally good, two-sided, from the binomial"
        " distribution; then adjusted for all tests of the table (Holm 1979).",
    )


def _names(first: str, second: str) -> Cell:
    return plain(f"{first} {second}", f"{family_name(first)} and {family_name(second)}")


def _small(p_value: float) -> str:
    return f"{p_value:.3f}" if p_value >= 0.001 else f"{p_value:.0e}"  # noqa: PLR2004 - as printed


def _drawn(final: FinalStage) -> Figure:
    ours = {family: intervals(models)["accuracy"] for family, models in final.families.items()}
    others = [(one.model, one.accuracy, "") for one in MEDMNIST_V2]
    others += [(one.model, one.accuracy, family) for family, one in ORIGINAL.items()]
    return draw.comparison(ours, others)


def _published(final: FinalStage) -> Table:
    families = final.families.items()
    groups = (
        Group(tuple(_ours(*one) for one in families), "This study"),
        Group(tuple(map(_theirs, ORIGINAL.values())), "The original report"),
        Group(tuple(map(_theirs, MEDMNIST_V2)), "MedMNIST v2"),
    )
    columns = (
        "model",
        "accuracy",
        "balanced accuracy",
        "macro AUC",
        "parameters",
        "epochs",
        "note",
    )
    note = (
        "Published results have no interval, MedMNIST's three decimals. The original's epochs and"
        " parameters are those of its saved models and logs; its text swaps the epochs of MLP and"
        f" CNN. Sources: {'; '.join(SOURCES)}."
    )
    return Table("published", "Published results", columns, groups, note, folded=True)


def _ours(family: str, models: Sequence[Model]) -> tuple[Cell, ...]:
    each = [one.predictions.scores for one in models]
    trial = models[0].trial
    return (
        plain(family, family_name(family)),
        number(fmean(one.accuracy for one in each), best=True),
        number(fmean(one.balanced_accuracy for one in each)),
        number(fmean(one.macro_auc for one in each)),
        number(trial.parameter_count, 0),
        number(trial.epochs, 0),
        plain(f"mean of {len(each)} seeds; epochs of the first" if len(each) > 1 else ""),
    )


def _theirs(one: Published) -> tuple[Cell, ...]:
    digits = 4 if one.family else 3
    return (
        plain(one.model),
        number(one.accuracy, digits),
        number(one.balanced_accuracy),
        number(one.auc, 3),
        number(one.parameters, 0),
        number(one.epochs, 0),
        plain(one.note),
    )
