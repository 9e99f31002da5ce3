"""Which models are trained in the end, from which configuration and under which rules.

A plan follows from the confirmation and the study file alone, so every worker makes the same one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from blood_hpo.final.stage_study import final_spec
from blood_hpo.models.hyperparameters import Hyperparameters, config_hash
from blood_hpo.models.registry import FAMILIES
from blood_hpo.models.resnet import ResnetHyperparameters
from blood_hpo.studyfile.schema import FinalSpec, StudySpec

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
class Rules:
    """When a retraining ends: see `blood_hpo.training.fit.TrainingRules`."""

    epochs: int
    patience: int
    start_epoch: int


@dataclass(frozen=True)
class PlannedModel:
    """A configuration to be trained with every seed.

    Attributes:
        family: Model family.
        recipe: "winner" of the search, or the name of a ResNet that needs none.
        source_study: Study whose trial found the configuration, or None.
        source_trial: Number of that trial, or None.
        config: The whole configuration.
        config_hash: Its identity.
        rules: When training ends.
        seeds: With how many seeds it is trained.
    """

    family: str
    recipe: str
    source_study: str | None
    source_trial: int | None
    config: Mapping[str, object]
    config_hash: str
    rules: Rules
    seeds: int

    def document(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def plan(spec: StudySpec, confirmation: Mapping[str, Any]) -> list[PlannedModel]:
    """The winner of each confirmed family, and a ResNet where none was searched."""
    final = final_spec(spec)
    found = [
        _winner(spec, family, one["candidates"][0])
        for family, one in confirmation["families"].items()
    ]
    if RESNET not in spec.families and final.resnet != "none":
        found.append(_resnet(final))
    order = list(FAMILIES)
    return sorted(found, key=lambda one: order.index(one.family))


def _winner(spec: StudySpec, family: str, candidate: Mapping[str, Any]) -> PlannedModel:
    config = FAMILIES[family].hyperparameters.model_validate(candidate["config"])
    final = final_spec(spec)
    return PlannedModel(
        family=family,
        recipe=WINNER,
        source_study=spec.name,
        source_trial=candidate["trial"],
        config=config.model_dump(mode="json"),
        config_hash=candidate["config_hash"],
        rules=_rules(config, final, final.epochs),
        seeds=final.seeds,
    )


def _resnet(final: FinalSpec) -> PlannedModel:
    config = RECIPES[final.resnet]
    epochs = final.resnet_epochs or RESNET_EPOCHS.get(final.resnet, final.epochs)
    return PlannedModel(
        family=RESNET,
        recipe=final.resnet,
        source_study=None,
        source_trial=None,
        config=config.model_dump(mode="json"),
        config_hash=config_hash(RESNET, config),
        rules=_rules(config, final, epochs),
        seeds=final.seeds,
    )


def _rules(config: Hyperparameters, final: FinalSpec, epochs: int) -> Rules:
    """Early stopping as the study file says, unless the schedule has an end of its own.

    Such a schedule is stretched to these epochs, however long it was in the search, and trained to
    its end. Early stopping then only chooses which epoch of the second half is kept.
    """
    if config.schedule_ends:
        return Rules(epochs, epochs, min(final.start_epoch, epochs // 2))
    return Rules(epochs, final.patience, min(final.start_epoch, epochs - 1))


def budgets(planned: Sequence[PlannedModel]) -> dict[str, int]:
    """Trainings by family."""
    return {one.family: one.seeds for one in planned}
