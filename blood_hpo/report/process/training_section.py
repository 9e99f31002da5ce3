"""Retraining: what was retrained and why that configuration, how it went, what it is."""

from collections.abc import Mapping, Sequence

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.cells import Cell, code, duration, listed, number, plain, settings
from blood_hpo.report.page.document import (
    Block,
    Figure,
    Figures,
    Missing,
    Section,
    Table,
    Text,
    one_group,
)
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
    """The section."""
    families = found.final.families if found.final else {}
    opening = Text(
        f"{_trained(families)} afresh on the whole training split{_with_seeds(families)}. Early"
        " stopping watches the validation split. A configuration is not typed but read from the"
        " study by trial number."
    )
    if found.final is None or not found.final.models:
        return Section("training", TITLE, (opening, *curves_of_the_search(found), missing(found)))
    final = found.final
    blocks: list[Block] = [
        opening,
        *pending(found, final),
        _proof(final, found.study.name),
        _rules(final),
    ]
    blocks += [_training(family, models[0]) for family, models in final.families.items()]
    blocks += [Figures(_architectures(final), "Architectures"), *_layers(final)]
    return Section("training", TITLE, tuple(blocks))


def _trained(families: Mapping[str, Sequence[Model]]) -> str:
    names = [family_name(one) for one in families]
    if not names:
        return "The winner of each family is trained"
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'} trained"


def _with_seeds(families: Mapping[str, Sequence[Model]]) -> str:
    counts = {len(models) for models in families.values()} - {1}
    return f", with {max(counts)} seeds; curves are those of the first" if counts else ""


def missing(found: Findings) -> Missing:
    """What to run where no model has been retrained and tested."""
    return Missing("No model has been retrained and tested yet.", found.next_command)


def curves_of_the_search(found: Findings) -> list[Block]:
    """The training of the best trials of the search, while nothing has been retrained."""
    drawn = []
    for family, winner in found.winners.items():
        best = list(winner.trial.fold_best_epochs or ())
        if winner.curves and best:
            drawn.append(draw.folds(family, winner.trial.number, winner.curves, best))
    return [Figures(tuple(drawn))] if drawn else []


def pending(found: Findings, final: FinalStage) -> list[Block]:
    """What to run where some models have been retrained and tested, and others not."""
    if not final.missing:
        return []
    planned = len(final.models) + final.missing
    text = f"{final.missing} of {planned} retrainings are not finished."
    return [Missing(text, found.next_command)]


def _proof(final: FinalStage, search: str) -> Table:
    rows = [_proof_row(one, search) for models in final.families.values() for one in models]
    columns = (
        "model",
        "seed",
        "source",
        "configuration hash",
        "parameters",
        "epochs",
        "restored",
        "validation accuracy",
        "time",
    )
    note = (
        "Source: the trial that the configuration was read from. The parameters are counted on the"
        " network that was tested. The hash covers family and whole configuration."
    )
    return Table("models", "Retrained models", columns, one_group(rows), note)


def _proof_row(model: Model, search: str) -> list[Cell]:
    trial = model.trial
    source, recipe = trial.source_number, trial.recipe
    where = "" if source is None else f", trial {source} of {search}"
    return [
        plain(model.family, family_name(model.family)),
        number(model.seed_number, 0),
        plain({"recipe": recipe, "trial": source}, f"{recipe}{where}"),
        code(trial.config_hash),
        number(trial.parameter_count, 0),
        number(trial.epochs, 0),
        number(model.best_epoch, 0),
        number(model.validation_accuracy),
        plain(trial.seconds, duration(trial.seconds)),
    ]


def _rules(final: FinalStage) -> Table:
    rows = [
        [
            plain(one.family, family_name(one.family)),
            plain(one.recipe, RECIPES.get(str(one.recipe), one.recipe)),
            plain(_when(one)),
            plain(dict(one.config), settings(one.config)),
        ]
        for one in (models[0].trial for models in final.families.values())
    ]
    columns = ("model", "recipe", "when training ends", "whole configuration")
    return Table("recipes", "Configurations in full", columns, one_group(rows), folded=True)


def _when(trial: TrialRecord) -> str:
    begin = (trial.start_epoch or 0) + 1
    return f"at most {trial.most_epochs} epochs, patience {trial.patience} from epoch {begin} on"


def _training(family: str, model: Model) -> Figure:
    return draw.training(family, model.curve, model.best_epoch)


def _architectures(final: FinalStage) -> tuple[Figure, ...]:
    return tuple(
        architecture(family, models[0].layers) for family, models in final.families.items()
    )


def _layers(final: FinalStage) -> list[Block]:
    return [
        Table(
            f"layers-{family}",
            f"Layers of the {family_name(family)}",
            ("layer", "kind", "output", "parameters", "reads"),
            one_group(
                [
                    [
                        plain(one.name),
                        plain(one.kind),
                        plain(list(one.shape), " x ".join(map(str, one.shape))),
                        number(one.parameters, 0),
                        plain(list(one.inputs), ", ".join(one.inputs)),
                    ]
                    for one in models[0].layers
                ]
            ),
            folded=True,
        )
        for family, models in final.families.items()
    ]
