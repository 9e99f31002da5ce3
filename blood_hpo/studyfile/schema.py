"""The schema of a study file: what is searched, with which budget, under which training rules.

`StudySpec.parse` reads the contents of a TOML file, and equally what ``model_dump(mode="json")``
gave: a study is stored in the format it is written in.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from blood_hpo.errors import InputError
from blood_hpo.models.hyperparameters import Hyperparameters
from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile import checks
from blood_hpo.studyfile.messages import input_error, nearest, refusal
from blood_hpo.studyfile.parameters import Categorical, Float, Integer, Parameter, Table
from blood_hpo.studyfile.tables import (
    LARGEST_BUDGET,
    DataSpec,
    FamilySpec,
    FinalSpec,
    PrunerSpec,
    SamplerSpec,
    StudyName,
    TrainingSpec,
    study_name,
)

__all__ = [
    "Categorical",
    "DataSpec",
    "FamilySpec",
    "FinalSpec",
    "Float",
    "Integer",
    "Parameter",
    "PrunerSpec",
    "SamplerSpec",
    "StudySpec",
    "TrainingSpec",
]


class StudySpec(Table):
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

    @classmethod
    def parse(cls, document: object, source: str) -> Self:
        """Check a parsed study file; ``source`` is what messages call it.

        Raises:
            InputError: The first problem by key, with the nearest valid name, and how many follow.
        """
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise input_error(source, error) from error

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        found = list(checks.problems(self))
        if found:
            raise refusal(found)
        budgets = {
            name: self.grid_size(name) for name, one in self.families.items() if one.budget is None
        }
        return self._with(budgets, "budget")

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

    def config(self, family: str, params: Mapping[str, object]) -> Hyperparameters:
        """The whole configuration: defaults, then the fixed part, then the searched ``params``.

        Raises:
            InputError: ``params`` are not exactly what the family searches, or do not fit together.
        """
        source = f"study {self.name}"
        if params.keys() != self.space(family).keys():
            raise InputError(
                f"{source}: a configuration of {family} needs values for "
                f"{', '.join(self.space(family))}, not for {', '.join(params) or 'nothing'}"
            )
        if self.families[family].around is not None:
            raise InputError(f"{source}: families.{family}.around has not been resolved")
        try:
            return self._config(family, params)
        except ValidationError as error:
            raise input_error(f"{source}: families.{family}", error) from error

    def allows(self, family: str, params: Mapping[str, object]) -> bool:
        """Whether the network of these searched ``params`` is within the family's max_parameters.

        Raises:
            InputError: As `config` does.
        """
        limit = self.families[family].max_parameters
        if limit is None:
            return True
        return FAMILIES[family].parameter_count(self.config(family, params)) <= limit

    def _config(self, family: str, params: Mapping[str, object]) -> Hyperparameters:
        values = {**self.families[family].fixed, **params}
        return FAMILIES[family].hyperparameters.model_validate(values)

    def held(self, family: str, *, exclude_defaults: bool = False) -> dict[str, object]:
        """The hyperparameters that a family does not search, fixed or at their default, by name."""
        space = self.space(family)
        anywhere = {name: parameter.probes[0] for name, parameter in space.items()}
        config = self._config(family, anywhere)
        return config.model_dump(mode="json", exclude=set(space), exclude_defaults=exclude_defaults)

    @property
    def budgets(self) -> dict[str, int]:
        """Trials of each family."""
        return {name: one.budget or 0 for name, one in self.families.items()}

    def with_budgets(self, budgets: Mapping[str, int]) -> Self:
        """The same study with other budgets for some of its families.

        Raises:
            InputError: The study has no such family, or the budget is out of range.
        """
        for family, budget in budgets.items():
            if family not in self.families:
                hint = nearest(family, self.families)
                raise InputError(f"budget: the study has no family {family}; {hint}")
            if not 1 <= budget <= LARGEST_BUDGET:
                raise InputError(
                    f"budget: {family} takes 1 to {LARGEST_BUDGET} trials, not {budget}"
                )
        return self._with(budgets, "budget")

    def with_around(self, study: str) -> Self:
        """The same study with every family's fixed part taken from a finished study.

        Raises:
            InputError: That is no name of a study.
        """
        try:
            study_name(study)
        except ValueError as error:
            raise InputError(f"around: {study}: {error}") from error
        bare = self._with({name: {} for name in self.families}, "fixed")
        return bare._with(dict.fromkeys(self.families, study), "around")

    def resolve_around(self, best: Mapping[str, Mapping[str, object]]) -> Self:
        """Complete the fixed part of each family that has ``around``, which becomes ``fixed_from``.

        Args:
            best: By family, the best configuration of the study that ``around`` names. What the
                family searches is left out of it, and what the file fixes stays as it is.

        Raises:
            InputError: ``best`` lacks a family, or its configuration does not fit.
        """
        document = self.model_dump(mode="json")
        for name, family in document["families"].items():
            if family["around"] is None:
                continue
            if name not in best:
                raise InputError(
                    f"study {family['around']} has no finished trial of {name}; "
                    "run it first, or take another study"
                )
            searched = self.space(name).keys()
            found = {key: value for key, value in best[name].items() if key not in searched}
            family["fixed"] = found | family["fixed"]
            family["fixed_from"], family["around"] = family["around"], None
        return type(self).parse(document, f"study {self.name}")

    def _with(self, values: Mapping[str, object], key: str) -> Self:
        """A copy in which some families have another value at one key."""
        changed = {
            name: one.model_copy(update={key: values[name]} if name in values else None)
            for name, one in self.families.items()
        }
        return self.model_copy(update={"families": changed})
