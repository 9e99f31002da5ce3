"""Which models are trained in the end, from which configuration and under which rules.

A plan follows from the confirmation and the study file alone, so every worker makes the same one.
"""

from collections.abc import Sequence
from dataclasses import asdict

from blood_hpo.database.record import TrialRecord
from blood_hpo.final.stage_study import Training
from blood_hpo.models.configuration import Configuration
from blood_hpo.models.hyperparameters import Hyperparameters, canonical_json
from blood_hpo.models.registry import FAMILIES
from blood_hpo.models.resnet import ResnetHyperparameters
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.studyfile.tables import FinalSpec
from blood_hpo.training.fold_result import Rules
from blood_hpo.training.seeds import derive
from blood_hpo.worker.stage import configuration_of

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


def plan(spec: StudySpec, winners: Sequence[TrialRecord]) -> list[Training]:
    """The winner of each confirmed family, and a ResNet where none was searched, with every seed.

    They come in the order of the families.
    """
    final = spec.final or FinalSpec()
    found = [
        training
        for one in winners
        for training in _trainings(spec, configuration_of(one), final.epochs, WINNER, one)
    ]
    if RESNET not in spec.families and final.resnet != "none":
        epochs = final.resnet_epochs or RESNET_EPOCHS.get(final.resnet, final.epochs)
        resnet = Configuration(RESNET, RECIPES[final.resnet])
        found += _trainings(spec, resnet, epochs, final.resnet, None)
    order = list(FAMILIES)
    return sorted(found, key=lambda one: order.index(one.configuration.family))


def _trainings(
    spec: StudySpec,
    configuration: Configuration,
    epochs: int,
    recipe: str,
    source: TrialRecord | None,
) -> list[Training]:
    final = spec.final or FinalSpec()
    rules = _rules(configuration.hyperparameters, final, epochs)
    # Under other rules it is another training, beside the one that is there.
    named = ("final", configuration.config_hash, canonical_json(asdict(rules)))
    return [
        Training(
            configuration=configuration,
            replicate=number,
            seed=derive(spec.seed, *named, number),
            params=source.params if source else {},
            source_number=source.number if source else None,
            recipe=recipe,
            rules=rules,
        )
        for number in range(1, final.seeds + 1)
    ]


def _rules(config: Hyperparameters, final: FinalSpec, epochs: int) -> Rules:
    """Early stopping as the study file says, unless the schedule has an end of its own.

    Such a schedule is stretched to these epochs, however long it was in the search, and trained to
    its end. Early stopping then only chooses the epoch that is kept, at the latest from half on.
    """
    if config.schedule_ends:
        return Rules(epochs, epochs, min(final.start_epoch, epochs // 2))
    return Rules(epochs, final.patience, min(final.start_epoch, epochs - 1))
