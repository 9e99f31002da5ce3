"""Comparison: the models with each other, with the original report, with published results."""

import math
from collections.abc import Sequence
from itertools import combinations

from blood_hpo.report.outcome.test_section import contributed, intervals
from blood_hpo.report.page.cells import Cell, interval, number, plain
from blood_hpo.report.page.document import Block, Group, Section, Table, Text, one_group
from blood_hpo.report.process import comparison_figures as draw
from blood_hpo.report.process.training_section import missing
from blood_hpo.report.read.final_stage import FinalStage, Model
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.published import MEDMNIST_V2, ORIGINAL, SOURCES, Published
from blood_hpo.report.read.scores import SCORES
from blood_hpo.report.read.search_study import family_name
from blood_hpo.report.read.uncertainty import difference, holm, mcnemar, spread

TITLE = "Comparison"

Pairs = Sequence[tuple[tuple[str, list[Model]], tuple[str, list[Model]]]]
"""Two families, each with its models."""


def section(found: Findings) -> Section:
    """The section."""
    blocks: list[Block] = []
    if found.final is None or not found.final.models:
        blocks = [missing(found), _published(None)]
    else:
        if found.study.synthetic:
            blocks.append(
                Text(
                    "This study's images are synthetic: beside published results its numbers mean"
                    " nothing. They stand here to show that everything works."
                )
            )
        blocks += [*_between(found.final), *_drawn(found.final)]
        blocks += [_original(found.final), _published(found.final)]
    blocks.append(Text("Sources: " + "; ".join(SOURCES.values()) + "."))
    return Section("comparison", TITLE, tuple(blocks))


def _between(final: FinalStage) -> list[Block]:
    pairs = list(combinations(final.families.items(), 2))
    if not pairs:
        return []
    said = Text("Models tested on the same images are compared image by image.")
    return [said, _differences(pairs), _mcnemar(pairs)]


def _differences(pairs: Pairs) -> Table:
    rows: list[list[Cell]] = []
    for (first, ours), (second, theirs) in pairs:
        values = contributed(ours), contributed(theirs)
        for name in values[0]:
            found = difference(values[0][name], values[1][name])
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
        "Differences between models, means over seeds",
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
        "McNemar's exact test between models of equal seed number",
        ("models", "seed", "only the first is right", "only the second is right", "p", "Holm's p"),
        one_group(rows),
        "Of the images that exactly one of two models classifies correctly: the probability of a"
        " split at least this uneven if both were equally good, two-sided, from the binomial"
        " distribution; then adjusted for all tests of the table (Holm 1979).",
    )


def _names(first: str, second: str) -> Cell:
    return plain(f"{first} {second}", f"{family_name(first)} and {family_name(second)}")


def _small(p_value: float) -> str:
    return f"{p_value:.3f}" if p_value >= 0.001 else f"{p_value:.0e}"  # noqa: PLR2004 - as printed


def _drawn(final: FinalStage) -> list[Block]:
    ours = {family: intervals(models)["accuracy"] for family, models in final.families.items()}
    others = [(one.model, one.accuracy, "") for one in MEDMNIST_V2]
    others += [(one.model, one.accuracy, family) for family, one in ORIGINAL.items()]
    return [draw.comparison(ours, others)]


def _original(final: FinalStage) -> Table:
    groups = tuple(
        Group(_beside(models, ORIGINAL[family]), family_name(family))
        for family, models in final.families.items()
        if family in ORIGINAL
    )
    columns = ("whose", "accuracy", "balanced accuracy", "parameters", "epochs")
    note = (
        "Ours are means over seeds, epochs those of the first seed. The original's epochs and"
        " parameters are those of its saved models and logs; its text swaps the epochs of MLP and"
        " CNN."
    )
    return Table("original", "Beside the original report", columns, groups, note)


def _beside(models: Sequence[Model], theirs: Published) -> tuple[tuple[Cell, ...], ...]:
    each = [one.predictions.scores for one in models]
    accuracy = spread([one.accuracy for one in each]).mean
    balanced = spread([one.balanced_accuracy for one in each]).mean
    ahead = number(accuracy - theirs.accuracy, sign=True)
    ahead_balanced = number(balanced - (theirs.balanced_accuracy or math.nan), sign=True)
    return (
        (
            plain("this study"),
            number(accuracy, best=True),
            number(balanced, best=True),
            number(models[0].trial.parameter_count, 0),
            number(models[0].trial.epochs, 0),
        ),
        (
            plain("original report"),
            number(theirs.accuracy),
            number(theirs.balanced_accuracy),
            number(theirs.parameters, 0),
            number(theirs.epochs, 0),
        ),
        (plain("difference"), ahead, ahead_balanced, plain(None), plain(None)),
    )


def _published(final: FinalStage | None) -> Table:
    rows = [_row(one) for one in (*MEDMNIST_V2, *ORIGINAL.values())]
    for family, models in (final.families if final else {}).items():
        each = [one.predictions.scores for one in models]
        rows.append(
            [
                plain(family, f"{family_name(family)} (this study)"),
                number(spread([one.accuracy for one in each]).mean, best=True),
                number(spread([one.balanced_accuracy for one in each]).mean),
                number(spread([one.macro_auc for one in each]).mean),
                plain(f"mean of {len(each)} seeds" if len(each) > 1 else "one seed"),
            ]
        )
    columns = ("model", "accuracy", "balanced accuracy", "macro AUC", "note")
    note = "Published numbers have three decimals and no interval."
    return Table("published", "Results on the test split", columns, one_group(rows), note)


def _row(one: Published) -> list[Cell]:
    digits = 3 if one.source == "medmnist" else 4
    return [
        plain(one.model),
        number(one.accuracy, digits),
        number(one.balanced_accuracy),
        number(one.auc, 3),
        plain(one.note),
    ]
