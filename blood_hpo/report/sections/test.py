"""The test: every score of every retrained model, its mistakes, and how sure all that is."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from blood_hpo.metrics import confusion
from blood_hpo.report.cells import Cell, interval, number, plain
from blood_hpo.report.document import Block, Heading, Section, Table, Text, one_group
from blood_hpo.report.figures import predictions as draw
from blood_hpo.report.findings import Findings
from blood_hpo.report.record import family_name
from blood_hpo.report.scores import all_scores, calibration, rank_counts
from blood_hpo.report.sections import per_model
from blood_hpo.report.sections.spreads import mean_sd
from blood_hpo.report.sections.training import missing
from blood_hpo.report.tested import FinalStage, Model
from blood_hpo.report.uncertainty import Interval, bootstrap

TITLE = "The test"


def section(found: Findings) -> Section:
    """The section."""
    if found.final is None or not found.final.models:
        return Section("test", TITLE, (missing(found),))
    final = found.final
    blocks: list[Block] = [Text(text) for text in _opening(final)]
    blocks += [summary(found), _every_seed(final), *_averaged(final)]
    for family, models in final.families.items():
        blocks += per_model.blocks_of(family, models)
    bins = {
        family: calibration(models[0].predictions.labels, models[0].predictions.probabilities)
        for family, models in final.families.items()
    }
    blocks += [Heading("Calibration"), draw.calibration(bins)]
    facts = {
        "models": [_facts(one) for one in final.models],
        "calibration": {family: [asdict(one) for one in found] for family, found in bins.items()},
    }
    return Section("test", TITLE, tuple(blocks), facts)


def _opening(final: FinalStage) -> list[str]:
    openings = [int(one.noted.get("test_openings", 1)) for one in final.models]
    count = len(final.models[0].predictions.labels)
    once = (
        "once for each model"
        if set(openings) == {1}
        else f"once for each model, but {sum(one > 1 for one in openings)} models whose worker died"
        " in between were tested again"
    )
    return [
        f"The test split of {count:,} images was opened {once}. Means and standard deviations are"
        " over seeds; they say how much a result depends on chance in training. The 95 % intervals"
        " are percentiles of 2,000 bootstrap samples of the test images, stratified by class, of"
        " the mean over seeds; they say how much it depends on which images were in the test.",
        "Matrices, rank histograms and examples are those of the first seed, which was not chosen"
        " by its result.",
    ]


def intervals(models: Sequence[Model]) -> dict[str, Interval]:
    """Intervals of accuracy and balanced accuracy of the mean over seeds."""
    share = np.mean([one.predictions.correct for one in models], axis=0)
    return dict(bootstrap(models[0].predictions.labels, share))


def summary(found: Findings) -> Table:
    """All scores of each family, a column each."""
    assert found.final
    families = found.final.families
    columns = [_column(models) for models in families.values()]
    rows = [[plain(name), *(one[name] for one in columns)] for name in columns[0]]
    headings = ("score", *(family_name(one) for one in families))
    return Table("test", "Test results: mean ± deviation over seeds", headings, one_group(rows))


def _column(models: Sequence[Model]) -> dict[str, Cell]:
    ranges = intervals(models)
    each = [one.predictions.scores for one in models]
    accuracy, balanced = ranges["accuracy"], ranges["balanced_accuracy"]
    return {
        "accuracy": mean_sd([one.accuracy for one in each]),
        "95 % interval of the accuracy": interval(accuracy.low, accuracy.high),
        "balanced accuracy": mean_sd([one.balanced_accuracy for one in each]),
        "95 % interval of the balanced accuracy": interval(balanced.low, balanced.high),
        "macro AUC": mean_sd([one.macro_auc for one in each]),
        "log-loss": mean_sd([one.log_loss for one in each]),
        "expected calibration error": mean_sd([one.calibration_error for one in each]),
        "trainable parameters": number(models[0].noted["parameter_count"], 0),
        "seeds": number(len(models), 0),
    }


def _every_seed(final: FinalStage) -> Table:
    rows = []
    for one in final.models:
        scores = one.predictions.scores
        rows.append(
            [
                plain(one.family, family_name(one.family)),
                number(one.seed_number, 0),
                number(scores.accuracy),
                number(scores.balanced_accuracy),
                number(scores.macro_auc),
                number(scores.log_loss),
                number(scores.calibration_error),
                number(int((~one.predictions.correct).sum()), 0),
                number(one.noted["medmnist"]["acc"]),
                number(one.noted["medmnist"]["auc"]),
            ]
        )
    columns = (
        "model",
        "seed",
        "accuracy",
        "balanced accuracy",
        "macro AUC",
        "log-loss",
        "calibration error",
        "errors",
        "medmnist ACC",
        "medmnist AUC",
    )
    note = (
        "The last two columns are what medmnist's own Evaluator said when the model was tested; all"
        " others are computed from the saved predictions when the report is written."
    )
    return Table("seeds", "Every seed", columns, one_group(rows), note, folded=True)


def _averaged(final: FinalStage) -> list[Block]:
    rows = []
    for one in final.models:
        found = one.predictions
        if not len(found.averaged):
            continue
        scores = all_scores(found.labels, found.averaged)
        gain = scores.accuracy - found.scores.accuracy
        rows.append(
            [
                plain(one.family, family_name(one.family)),
                number(one.seed_number, 0),
                number(found.scores.accuracy),
                number(scores.accuracy),
                number(gain, sign=True),
                number(scores.balanced_accuracy),
                number(scores.macro_auc),
            ]
        )
    if not rows:
        return []
    columns = (
        "model",
        "seed",
        "plain accuracy",
        "averaged accuracy",
        "difference",
        "averaged balanced accuracy",
        "averaged macro AUC",
    )
    note = (
        "An extra, eight times the work of one prediction; all other tables are plain predictions."
    )
    caption = "Predictions averaged over the eight symmetries of the square"
    return [Table("averaged", caption, columns, one_group(rows), note)]


def _facts(model: Model) -> dict[str, Any]:
    found = model.predictions
    return {
        "family": model.family,
        "seed": model.seed_number,
        "trial": model.number,
        "config": dict(model.noted["config"]),
        "config_hash": model.noted["config_hash"],
        "scores": asdict(found.scores),
        "confusion": confusion(found.labels, found.probabilities).tolist(),
        "rank_counts": rank_counts(found.labels, found.probabilities),
        "misclassified": found.misclassified.tolist(),
        "validation": dict(model.noted["validation"]),
        "medmnist": dict(model.noted["medmnist"]),
        "model_sha256": model.noted["model"]["sha256"],
        "test_openings": model.noted.get("test_openings"),
    }
