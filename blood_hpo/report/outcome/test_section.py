"""The test: every score of every retrained model, its mistakes, and how sure all that is."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from blood_hpo.metrics import confusion
from blood_hpo.report.outcome import model_section as per_model
from blood_hpo.report.outcome import prediction_figures as draw
from blood_hpo.report.outcome import repeats_section as duplicates
from blood_hpo.report.page import cells
from blood_hpo.report.page.cells import Cell, listed, mean_sd, number, plain
from blood_hpo.report.page.document import Block, Row, Section, Table, Text, one_group
from blood_hpo.report.read.contributions import Contributions
from blood_hpo.report.read.final_stage import FinalStage, Model
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.scores import SCORES, calibration, rank_counts
from blood_hpo.report.read.search_study import family_name
from blood_hpo.report.read.uncertainty import Interval, interval

TITLE = "The test"


def section(found: Findings) -> Section:
    """The section; it is empty where no model was tested."""
    final = found.final
    if final is None or not final.models:
        return Section("test", TITLE, ())
    blocks: list[Block] = [Text(text) for text in _opening(final)]
    bins = {
        family: calibration(models[0].predictions.labels, models[0].predictions.probabilities)
        for family, models in final.families.items()
    }
    blocks += [Row((_summary(final), draw.calibration(bins))), _every_seed(final)]
    blocks += duplicates.blocks_of(final)
    for family, models in final.families.items():
        blocks += per_model.blocks_of(family, models)
    facts = {
        "models": [_facts(one) for one in final.models],
        "calibration": {family: [asdict(one) for one in found] for family, found in bins.items()},
    }
    return Section("test", TITLE, tuple(blocks), facts)


def _opening(final: FinalStage) -> list[str]:
    openings = [one.test_openings for one in final.models]
    count = len(final.models[0].predictions.labels)
    once = (
        "once for each model"
        if set(openings) == {1}
        else f"once for each model, but {sum(one > 1 for one in openings)} models whose worker died"
        " in between were tested again"
    )
    opened = f"The test split of {count:,} images was opened {once}."
    recall = (
        "Recall is what the original report calls the accuracy of a class; the rows of all classes"
        " have the accuracy, and the mean precision and F1."
    )
    if len(final.models) == len(final.families):
        return [f"{opened} The 95 % intervals are of a bootstrap over the test images. {recall}"]
    return [
        f"{opened} Means and standard deviations are over seeds. {_about_intervals(final)}",
        "Matrices, rank histograms and examples are those of the first seed, which was not chosen"
        f" by its result. {recall}",
    ]


def _about_intervals(final: FinalStage) -> str:
    single = [family_name(family) for family, models in final.families.items() if len(models) == 1]
    said = (
        "The 95 % intervals are of a bootstrap over seeds and test images: how far another training"
        " on other images of the kind might end."
    )
    alone = f" With one seed, as of {listed(single)}, they are of the images alone."
    return said + (alone if single else "")


def contributed(models: Sequence[Model]) -> dict[str, Contributions]:
    """What each image adds to each seed's scores, (seeds, images), by name in `scores.Scores`."""
    each = [one.predictions.contributions for one in models]
    return {name: np.stack([one[name] for one in each]) for name in each[0]}


def intervals(models: Sequence[Model]) -> dict[str, Interval]:
    """Interval of each score's mean over seeds, by its name in `scores.Scores`."""
    return {
        name: interval(values, highest=np.inf if name == "log_loss" else 1.0)
        for name, values in contributed(models).items()
    }


def _summary(final: FinalStage) -> Table:
    """All scores of each family, a column each."""
    families = final.families
    columns = [_column(models) for models in families.values()]
    several = len(final.models) > len(families)
    names = [name for name in columns[0] if name != "seeds" or several]
    rows = [
        [plain(name, name.partition(" of the ")[0]), *(one[name] for one in columns)]
        for name in names
    ]
    headings = ("score", *(family_name(one) for one in families))
    caption = f"Test results{': mean ± deviation over seeds' if several else ''}"
    return Table("test", caption, headings, one_group(rows))


def _column(models: Sequence[Model]) -> dict[str, Cell]:
    each = [one.predictions.scores for one in models]
    found: dict[str, Cell] = {}
    for name, ends in intervals(models).items():
        found[SCORES[name]] = mean_sd([getattr(one, name) for one in each])
        found[f"95 % interval of the {SCORES[name]}"] = cells.interval(ends.low, ends.high)
    return found | {
        "expected calibration error": mean_sd([one.calibration_error for one in each]),
        "trainable parameters": number(models[0].trial.parameter_count, 0),
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
                *(number(getattr(scores, name)) for name in SCORES),
                number(scores.calibration_error),
                number(int((~one.predictions.correct).sum()), 0),
                number(one.predictions.averaged_accuracy),
                number(one.medmnist_acc),
                number(one.medmnist_auc),
            ]
        )
    columns = (
        "model",
        "seed",
        *SCORES.values(),
        "calibration error",
        "errors",
        "averaged",
        "medmnist ACC",
        "medmnist AUC",
    )
    note = (
        "Averaged: accuracy of predictions averaged over the eight symmetries, an extra. The last"
        " two columns are what medmnist's own Evaluator said when the model was tested; all others"
        " are computed from the saved predictions when the report is written."
    )
    return Table("seeds", "Every seed", columns, one_group(rows), note, folded=True)


def _facts(model: Model) -> dict[str, Any]:
    found = model.predictions
    return {
        "family": model.family,
        "seed": model.seed_number,
        "trial": model.number,
        "config": dict(model.trial.config),
        "config_hash": model.trial.config_hash,
        "scores": asdict(found.scores),
        "confusion": confusion(found.labels, found.probabilities).tolist(),
        "rank_counts": rank_counts(found.labels, found.probabilities),
        "misclassified": found.misclassified.tolist(),
        "duplicated": found.duplicated.tolist(),
        "validation_accuracy": model.validation_accuracy,
        "medmnist": {"acc": model.medmnist_acc, "auc": model.medmnist_auc},
        "model_sha256": model.sha256,
        "test_openings": model.test_openings,
    }
