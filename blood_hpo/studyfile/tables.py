"""The tables of a study file, each with the range and the default of its keys."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from blood_hpo.studyfile.parameters import Parameter, Scalar, Table, scalar

LARGEST_BUDGET = 100_000
"""Trials of one family: far more than anyone waits for, and few enough to list."""


def study_name(name: str) -> str:
    """Check that a name can stand in a command, a path and a URL as it is; else a ValueError."""
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        return name
    raise ValueError(
        "a study's name is 1 to 64 lower-case letters, digits, - and _, the first a letter or digit"
    )


StudyName = Annotated[str, AfterValidator(study_name)]
Names = Annotated[tuple[str, ...], Strict(False)]
Value = Annotated[
    Scalar | None, BeforeValidator(lambda value: value if value is None else scalar(value))
]


class DataSpec(Table):
    """Which images a study uses.

    Attributes:
        fraction: Share of the training and of the validation split, drawn once, stratified.
        synthetic_fallback: Draw synthetic images where no data set can be had.
    """

    fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    synthetic_fallback: bool = False


class TrainingSpec(Table):
    """How each configuration is trained and scored.

    Attributes:
        folds: Folds of the cross-validation.
        epochs: Most epochs of a fold.
        patience: Epochs without a better validation score after which a fold stops,
            unless its schedule has an end.
        start_epoch: Epochs before early stopping begins to watch.
    """

    folds: Annotated[int, Field(ge=2, le=20)] = 3
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 50
    patience: Annotated[int, Field(ge=1, le=10_000)] = 10
    start_epoch: Annotated[int, Field(ge=0, le=10_000)] = 10


class SamplerSpec(Table):
    """What proposes configurations.

    Attributes:
        name: Tree-structured Parzen estimator, uniform, every combination, or stage by stage.
        startup_trials: Random trials of a family before "tpe" learns from them.
    """

    name: Literal["tpe", "random", "grid", "staged_grid"] = "tpe"
    startup_trials: Annotated[int, Field(ge=1, le=10_000)] = 10


class PrunerSpec(Table):
    """What stops a trial whose best score so far is below the complete trials' at the same epoch.

    Attributes:
        name: Stop below the median, or below a percentile, or never.
        percentile: Per cent of complete trials above the bar of "percentile".
        startup_trials: Complete trials of a family before the first is stopped.
        warmup_epochs: Epochs in which no trial is stopped.
    """

    name: Literal["median", "percentile", "none"] = "median"
    percentile: Annotated[float, Field(gt=0, lt=100)] = 25.0
    startup_trials: Annotated[int, Field(ge=0, le=10_000)] = 5
    warmup_epochs: Annotated[int, Field(ge=0, le=10_000)] = 10


class FinalSpec(Table):
    """What happens when the search is over: confirmation, retraining and the test.

    Attributes:
        confirm_top: Configurations of each family that are confirmed.
        confirm_splits: Fresh fold splits on which each is run.
        seeds: Models of each configuration.
        epochs: Most epochs of a retraining, and the length of a schedule that has an end.
        patience: Epochs without a better validation score after which it stops.
        start_epoch: Epochs before early stopping begins to watch.
        resnet: Which ResNet is trained where the study searches none.
        resnet_epochs: Its epochs; left out, ``epochs`` for the report's, 24 for the recommended.
        average_symmetries: Also test predictions averaged over the eight symmetries.
    """

    confirm_top: Annotated[int, Field(ge=1, le=100)] = 5
    confirm_splits: Annotated[int, Field(ge=1, le=20)] = 3
    seeds: Annotated[int, Field(ge=1, le=20)] = 3
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 200
    patience: Annotated[int, Field(ge=1, le=10_000)] = 20
    start_epoch: Annotated[int, Field(ge=0, le=10_000)] = 30
    resnet: Literal["recommended", "report", "none"] = "recommended"
    resnet_epochs: Annotated[int, Field(ge=1, le=10_000)] | None = None
    average_symmetries: bool = True


class FamilySpec(Table):
    """What is searched for one model family.

    Attributes:
        budget: Trials; left out, a grid is visited whole.
        max_parameters: Most trainable parameters of a network.
        space: What this family alone searches.
        fixed: Hyperparameters held at a value.
        around: A finished study whose best configuration of this family completes ``fixed``.
        fixed_from: What ``around`` becomes when ``fixed`` is completed.
        start: Of a staged grid: a value for each searched hyperparameter.
        stages: Of a staged grid: the hyperparameters that are varied together.
    """

    budget: Annotated[int, Field(ge=1, le=LARGEST_BUDGET)] | None = None
    max_parameters: Annotated[int, Field(ge=1)] | None = None
    space: Mapping[str, Parameter] = {}
    fixed: Mapping[str, Value] = {}
    around: StudyName | None = None
    fixed_from: StudyName | None = None
    start: Mapping[str, Value] | None = None
    stages: Annotated[tuple[Names, ...], Strict(False)] | None = None


class StudyTables(Table):
    """A study: everything that workers need to know about it.

    Attributes:
        name: Name of the study in the database.
        description: One line for people.
        seed: Seeds the data subset, the folds, the sampler and every training.
        objective: The score on the held-out fold that is maximised.
        data: Which images are used.
        training: How configurations are trained and scored.
        sampler: What proposes configurations.
        pruner: What stops hopeless trials.
        final: What happens when the search is over; without it a run ends with the search.
        shared_space: Hyperparameters that every family searches: the table ``[space]``.
        families: What is searched for each model family.
    """

    name: StudyName
    description: str = ""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    objective: Literal["accuracy", "balanced_accuracy", "macro_auc"] = "accuracy"
    data: DataSpec = DataSpec()
    training: TrainingSpec = TrainingSpec()
    sampler: SamplerSpec = SamplerSpec()
    pruner: PrunerSpec = PrunerSpec()
    final: FinalSpec | None = None
    shared_space: Annotated[Mapping[str, Parameter], Field(alias="space")] = {}
    families: Mapping[str, FamilySpec]

    def space(self, family: str) -> dict[str, Parameter]:
        """What a family searches: the shared space, then its own, in file order."""
        return {**self.shared_space, **self.families[family].space}

    def rows(self, family: str, names: Sequence[str]) -> Iterator[dict[str, object]]:
        """All combinations of some searched hyperparameters, the last varying fastest."""
        space = self.space(family)
        for row in itertools.product(*(space[name].values or () for name in names)):
            yield dict(zip(names, row, strict=True))

    def space_size(self, family: str) -> int | None:
        """Number of configurations in a family's space; None if it is infinite."""
        values = [parameter.values for parameter in self.space(family).values()]
        return None if None in values else math.prod(len(one or ()) for one in values)

    def grid_size(self, family: str) -> int:
        """Number of configurations that the study's grid sampler visits.

        A staged grid visits each stage's combinations, of which one, the best of the stage before,
        is known.
        """
        if self.sampler.name == "grid":
            return self.space_size(family) or 0
        space = self.space(family)
        stages = self.families[family].stages or ()
        sizes = [[len(space[name].values or ()) for name in stage] for stage in stages]
        return 1 + sum(math.prod(stage) - 1 for stage in sizes)
