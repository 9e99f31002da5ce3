"""Retraining: what was retrained and why that configuration, how it went, what it is."""

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.cells import Cell, code, duration, listed, number, plain, settings
from blood_hpo.report.page.document import Block, Missing, Row, Section, Table, Text, one_group
from blood_hpo.report.process import training_figures as draw
from blood_hpo.report.process.architecture_figures import architecture
from blood_hpo.report.read.final_stage import FinalStage, Model
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.search_study import family_name

TITLE = "Retraining"
RECIPES = {
    "winner": "winner of the search",
    "report": "the original report's architecture and settings",
    "recommended": "the original report's blocks with a recommended recipe",
}


def section(found: Findings) -> Section:
    """The section; it is empty where no model was retrained and tested."""
    final = found.final
    if final is None or not final.models:
        return Section("training", TITLE, ())
    first = {family: models[0] for family, models in final.families.items()}
    drawn = [draw.training(family, one.curve, one.best_epoch) for family, one in first.items()]
    networks = tuple(architecture(family, one.layers) for family, one in first.items())
    blocks: tuple[Block, ...] = (
        Text(_opening(final)),
        *pending(found, final),
        _models(final, found.study.name),
        _rules([one.trial for one in first.values()]),
        Row(tuple(drawn)),
        Row(networks, "Layers of the networks"),
    )
    return Section("training", TITLE, blocks)


def _opening(final: FinalStage) -> str:
    names = [family_name(one) for one in final.families]
    seeds = max(map(len, final.families.values()))
    several = f", with {seeds} seeds; curves are those of the first" if seeds > 1 else ""
    return (
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} trained afresh on the whole training"
        f" split{several}. Early stopping watches the validation split; training figures are means"
        " over the epoch, on augmented images where the recipe augments."
    )


def pending(found: Findings, final: FinalStage) -> list[Block]:
    """What to run where some models have been retrained and tested, and others not."""
    if not final.missing:
        return []
    planned = len(final.models) + final.missing
    text = f"{final.missing} of {planned} retrainings are not finished."
    return [Missing(text, found.next_command)]


def _models(final: FinalStage, search: str) -> Table:
    columns = (
        *("model", "seed", "derived seed", "source", "configuration hash", "parameters", "epochs"),
        *("restored", "validation accuracy", "time"),
    )
    note = (
        "Source: the trial that the configuration was read from. The parameters are counted on the"
        " network that was tested. The hash covers family and whole configuration."
    )
    rows = [_model(one, search) for one in final.models]
    return Table("models", "Retrained models", columns, one_group(rows), note, folded=True)


def _model(model: Model, search: str) -> list[Cell]:
    trial = model.trial
    source, recipe = trial.source_number, trial.recipe
    where = "" if source is None else f", trial {source} of {search}"
    return [
        plain(model.family, family_name(model.family)),
        number(model.seed_number, 0),
        code(str(trial.seed), 6),
        plain({"recipe": recipe, "trial": source}, f"{recipe}{where}"),
        code(trial.config_hash, 8),
        number(trial.parameter_count, 0),
        number(trial.epochs, 0),
        number(model.best_epoch, 0),
        number(model.validation_accuracy),
        plain(trial.seconds, duration(trial.seconds)),
    ]


def _rules(trials: list[TrialRecord]) -> Table:
    rows = [
        [
            plain(one.family, family_name(one.family)),
            plain(one.recipe, RECIPES.get(str(one.recipe), one.recipe)),
            plain(_when(one)),
            plain(dict(one.config), settings(one.config)),
        ]
        for one in trials
    ]
    columns = ("model", "recipe", "when training ends", "whole configuration")
    return Table("recipes", "Configurations in full", columns, one_group(rows), folded=True)


def _when(trial: TrialRecord) -> str:
    begin = (trial.start_epoch or 0) + 1
    return f"at most {trial.most_epochs} epochs, patience {trial.patience} from epoch {begin} on"
