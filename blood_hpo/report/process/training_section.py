"""Retraining: what was retrained and why that configuration, how it went, what it is."""

from collections.abc import Sequence

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.cells import code, count, duration, listed, number, plain, settings
from blood_hpo.report.page.document import Block, Cells, Missing, Row, Section, Table
from blood_hpo.report.page.words import said, table
from blood_hpo.report.process import training_figures as draw
from blood_hpo.report.read.final_stage import FinalStage, Model
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.search_study import family_name
from blood_hpo.stages import FINAL, stage_name

RECIPES = {
    "winner": "winner of the search",
    "report": "the original report's architecture and settings",
    "recommended": "the original report's blocks with a recommended recipe",
}


def section(found: Findings) -> Section:
    """The section; it is empty where no model was retrained and tested."""
    final = found.tested
    if final is None:
        return Section("training")
    first = {family: models[0] for family, models in final.families.items()}
    drawn = [draw.training(family, one.curve, one.best_epoch) for family, one in first.items()]
    networks = [draw.architecture(family, one.layers) for family, one in first.items()]
    blocks = [
        _opening(final),
        *pending(found, final),
        table("models", [_model(one, found.study.name) for one in final.models]),
        _rules([one.trial for one in first.values()]),
        Row(drawn),
        Row(networks, "Layers of the networks"),
    ]
    return Section("training", blocks)


def _opening(final: FinalStage) -> str:
    names = [family_name(one) for one in final.families]
    seeds = [len(models) for models in final.families.values()]
    least = f"{min(seeds)} to " if min(seeds) < max(seeds) else ""
    several = f", with {least}{max(seeds)} seeds; curves are those of the first"
    families = f"{listed(names)} {'is' if len(names) == 1 else 'are'}"
    return said("retraining", families=families, several=several if max(seeds) > 1 else "")


def pending(found: Findings, final: FinalStage) -> list[Block]:
    """What to run where some models have been retrained and tested, and others not."""
    planned = len(final.models) + final.missing + final.failed
    blocks: list[Block] = []
    if final.missing:
        text = f"{final.missing} of {planned} retrainings are not finished."
        blocks.append(Missing(text, found.next_command))
    if final.failed:
        text = f"{final.failed} of {planned} retrainings failed for good. To try again:"
        again = f"blood-hpo study resume {stage_name(found.study.name, FINAL)}"
        blocks.append(Missing(text, f"{again} && {found.next_command}"))
    return blocks


def _model(model: Model, search: str) -> Cells:
    trial = model.trial
    source = {"recipe": trial.recipe, "trial": trial.source_number}
    where = "" if trial.source_number is None else f", trial {trial.source_number} of {search}"
    return {
        "model": plain(trial.family, family_name(trial.family)),
        "seed": count(trial.replicate),
        "derived seed": code(str(trial.seed), 6),
        "source": plain(source, f"{trial.recipe}{where}"),
        "configuration hash": code(trial.config_hash, 8),
        "parameters": count(trial.parameter_count),
        "epochs": count(trial.epochs),
        "restored": count(model.best_epoch),
        "validation accuracy": number(model.validation_accuracy),
        "time": plain(trial.seconds, duration(trial.seconds)),
    }


def _rules(trials: Sequence[TrialRecord]) -> Table:
    rows = [
        {
            "model": plain(one.family, family_name(one.family)),
            "recipe": plain(one.recipe, RECIPES.get(str(one.recipe), one.recipe)),
            "when training ends": plain(_end(one)),
            "whole configuration": plain(dict(one.config), settings(one.config)),
        }
        for one in trials
    ]
    return table("recipes", rows)


def _end(one: TrialRecord) -> str:
    first = f"from epoch {(one.start_epoch or 0) + 1} on"
    if one.patience == one.most_epochs:  # as a schedule that has an end is trained
        return f"after {one.most_epochs} epochs; the best {first} is kept"
    return f"at most {one.most_epochs} epochs, patience {one.patience} {first}"
