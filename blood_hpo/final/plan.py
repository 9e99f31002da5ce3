"""Which models are trained in the end, from which configuration and under which rules.

A plan follows from the confirmation and the study file alone, so every worker makes the same one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blood_hpo.database.record import TrialRecord
from blood_hpo.final.stage_study import Rules, final_spec
from blood_hpo.models.configuration import Configuration
from blood_hpo.models.hyperparameters import Hyperparameters
from blood_hpo.models.registry import FAMILIES
from blood_hpo.models.resnet import ResnetHyperparameters
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.studyfile.tables import FinalSpec

RESNET = "resnet"
WINNER = "winner"

RECIPES = {
    "report": ResnetHyperparameters(
        optimizer="adam", learning_rate=1e-3, batch_size=32, augmentation="flips_rotation"
    ),
    "recommended": ResnetHyperparameters(
        optimizer="adamw",
        learning_rate=2e-3,
        schedule="one_cycle",
        weight_decay=0.02,
        label_smoothing=0.02,
        batch_size=32,
        averaging=0.998,
        augmentation="symmetries_shifts",
        standardise=True,
    ),
}
"""The ResNets that need no search: the original report's, and the same blocks as we train them."""

RESNET_EPOCHS = {"recommended": 24}
"""Length of those that have one of their own: enough for the one-cycle schedule."""


@dataclass(frozen=True)
class PlannedModel:
    """A configuration to be trained with every seed.

    Attributes:
        configuration: What is trained.
        recipe: "winner" of the search, or the name of a ResNet that needs none.
        source_number: Number of the search's trial that found the configuration, or None.
        params: What was searched.
        rules: When training ends.
        seeds: With how many seeds it is trained.
    """

    configuration: Configuration
    recipe: str
    source_number: int | None
    params: Mapping[str, Any]
    rules: Rules
    seeds: int


def plan(spec: StudySpec, winners: Sequence[TrialRecord]) -> list[PlannedModel]:
    """The winner of each confirmed family, and a ResNet where none was searched."""
    final = final_spec(spec)
    found = [_winner(spec, one) for one in winners]
    if RESNET not in spec.families and final.resnet != "none":
        found.append(_resnet(final))
    order = list(FAMILIES)
    return sorted(found, key=lambda one: order.index(one.configuration.family))


def _winner(spec: StudySpec, trial: TrialRecord) -> PlannedModel:
    configuration, final = Configuration.of(trial.family, trial.config), final_spec(spec)
    rules = _rules(configuration.hyperparameters, final, final.epochs)
    return PlannedModel(configuration, WINNER, trial.number, trial.params, rules, final.seeds)


def _resnet(final: FinalSpec) -> PlannedModel:
    configuration = Configuration(RESNET, RECIPES[final.resnet])
    epochs = final.resnet_epochs or RESNET_EPOCHS.get(final.resnet, final.epochs)
    rules = _rules(configuration.hyperparameters, final, epochs)
    return PlannedModel(configuration, final.resnet, None, {}, rules, final.seeds)


def _rules(config: Hyperparameters, final: FinalSpec, epochs: int) -> Rules:
    """Early stopping as the study file says, unless the schedule has an end of its own.

    Such a schedule is stretched to these epochs, however long it was in the search, and trained to
    its end. Early stopping then only chooses which epoch of the second half is kept.
    """
    if config.schedule_ends:
        return Rules(epochs, epochs, min(final.start_epoch, epochs // 2))
    return Rules(epochs, final.patience, min(final.start_epoch, epochs - 1))
