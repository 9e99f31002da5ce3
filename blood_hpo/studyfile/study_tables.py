"""All tables of a study file together, and the sizes that follow from them."""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from blood_hpo.studyfile.parameters import Categorical, Float, Integer, Parameter, Table
from blood_hpo.studyfile.tables import (
    DataSpec,
    FamilySpec,
    FinalSpec,
    PrunerSpec,
    SamplerSpec,
    StudyName,
    TrainingSpec,
)


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

    def space(self, family: str) -> dict[str, Categorical | Integer | Float]:
        """What a family searches: the shared space, then its own, in file order."""
        return {**self.shared_space, **self.families[family].space}

    def space_size(self, family: str) -> int | None:
        """Number of configurations in a family's space; None if it is infinite."""
        sizes = [parameter.size for parameter in self.space(family).values()]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def grid_size(self, family: str) -> int:
        """Number of configurations that the study's grid sampler visits.

        A staged grid visits each stage's combinations, of which one, the best of the stage before,
        is known.
        """
        if self.sampler.name == "grid":
            return self.space_size(family) or 0
        space = self.space(family)
        stages = self.families[family].stages or ()
        return 1 + sum(math.prod(space[name].size or 0 for name in stage) - 1 for stage in stages)
