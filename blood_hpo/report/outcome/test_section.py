"""The test: every score of every retrained model, its mistakes, and how sure all that is."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from blood_hpo.metrics import confusion
from blood_hpo.report.outcome import prediction_figures as draw
from blood_hpo.report.outcome import test_parts as parts
from blood_hpo.report.page import cells
from blood_hpo.report.page.cells import Cell, count, listed, mean_sd, number, plain
from blood_hpo.report.page.document import Block, Cells, Row, Section, Table
from blood_hpo.report.page.words import said, table
from blood_hpo.report.read.final_stage import FinalStage, Model
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.scores import SCORES, Contributions, calibration, rank_counts
from blood_hpo.report.read.search_study import family_name
from blood_hpo.report.read.uncertainty import Interval, interval


def section(found: Findings) -> Section:
    """The section; it is empty where no model was tested."""
    final = found.tested
    if final is None:
        return Section("test")
    first = {family: models[0].predictions for family, models in final.families.items()}
    bins = {family: calibration(one.labels, one.probabilities) for family, one in first.items()}
    seeds = table("seeds", [_seed(one) for one in final.models])
    beside = Row((_summary(final), draw.calibration(bins)))
    blocks: list[Block] = [*_opening(final), beside, seeds]
    blocks += parts.repeats(final)
    for family, models in final.families.items():
        blocks += parts.of_family(family, models)
    facts = {
        "models": [_facts(one) for one in final.models],
        "calibration": {family: [asdict(one) for one in found] for family, found in bins.items()},
    }
    return Section("test", blocks, facts)


def _opening(final: FinalStage) -> list[str]:
    count = sum(one.test_openings > 1 for one in final.models)
    again = said("opened-again", count=count) if count else ""
    earlier = said("earlier-plans", count=final.earlier) if final.earlier else ""
    images = len(final.models[0].predictions.labels)
    opened = said("opened", images=images, again=again, earlier=earlier)
    if len(final.models) == len(final.families):
        return [f"{opened} {said('interval-of-images')} {said('recall')}"]
    single = [family_name(family) for family, models in final.families.items() if len(models) == 1]
    alone = said("single-seeds", families=listed(single)) if single else ""
    return [
        f"{opened} {said('interval-of-seeds')}{alone}",
        f"{said('first-seeds')} {said('recall')}",
    ]


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
    columns = {family_name(name): _column(models) for name, models in final.families.items()}
    several = len(final.models) > len(columns)
    names = next(iter(columns.values()))
    rows = [
        {
            "score": plain(name, name.partition(" of the ")[0]),
            **{family: column[name] for family, column in columns.items()},
        }
        for name in names
        if name != "seeds" or several
    ]
    return table("test", rows, several=": mean ± deviation over seeds" if several else "")


def _column(models: Sequence[Model]) -> dict[str, Cell]:
    each = [one.predictions.scores for one in models]
    found: dict[str, Cell] = {}
    for name, ends in intervals(models).items():
        found[SCORES[name]] = mean_sd([getattr(one, name) for one in each])
        found[f"95 % interval of the {SCORES[name]}"] = cells.interval(ends.low, ends.high)
    return found | {
        "expected calibration error": mean_sd([one.calibration_error for one in each]),
        "trainable parameters": count(models[0].trial.parameter_count),
        "seeds": count(len(models)),
    }


def _seed(one: Model) -> Cells:
    found = one.predictions
    return {
        "model": plain(one.trial.family, family_name(one.trial.family)),
        "seed": count(one.trial.replicate),
        **{text: number(getattr(found.scores, name)) for name, text in SCORES.items()},
        "calibration error": number(found.scores.calibration_error),
        "errors": count(len(found.misclassified)),
        "averaged": number(found.averaged_accuracy),
        "medmnist ACC": number(one.medmnist_acc),
        "medmnist AUC": number(one.medmnist_auc),
    }


def _facts(model: Model) -> dict[str, Any]:
    found = model.predictions
    return {
        "family": model.trial.family,
        "seed": model.trial.replicate,
        "trial": model.trial.number,
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
