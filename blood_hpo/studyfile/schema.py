"""The schema of a study file, in which a study is also stored: what is searched, and how."""

from collections.abc import Iterator, Mapping
from typing import Self

from pydantic import ValidationError, model_validator

from blood_hpo.errors import InputError
from blood_hpo.models.hyperparameters import Hyperparameters
from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile import checks
from blood_hpo.studyfile.feasibility import largest_network
from blood_hpo.studyfile.messages import input_error, nearest, refusal
from blood_hpo.studyfile.tables import LARGEST_BUDGET, StudyTables, study_name

BYTES_A_PARAMETER = 16  # in single precision: weight, gradient, and the two moments of Adam


class StudySpec(StudyTables):
    """A study whose tables fit together."""

    @classmethod
    def parse(cls, document: object, source: str) -> Self:
        """Check a parsed TOML file or JSON dump; all problems, by key, are one InputError."""
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

    def config(self, family: str, params: Mapping[str, object]) -> Hyperparameters:
        """Defaults, then the fixed part, then the searched ``params``; else an InputError."""
        values = {**self.families[family].fixed, **params}
        try:
            return FAMILIES[family].hyperparameters.model_validate(values)
        except ValidationError as error:
            raise input_error(f"study {self.name}: families.{family}", error) from error

    def allows(self, family: str, params: Mapping[str, object]) -> bool:
        """Whether the network of these ``params`` is within the family's max_parameters."""
        limit, count = self.families[family].max_parameters, FAMILIES[family].parameter_count
        return limit is None or count(self.config(family, params)) <= limit

    def held(self, family: str, *, exclude_defaults: bool = False) -> dict[str, object]:
        """The hyperparameters that a family does not search, fixed or at their default, by name."""
        space = self.space(family)
        anywhere = {name: parameter.probes[0] for name, parameter in space.items()}
        config = self.config(family, anywhere)
        return config.model_dump(mode="json", exclude=set(space), exclude_defaults=exclude_defaults)

    @property
    def budgets(self) -> dict[str, int]:
        """Trials of each family."""
        return {name: one.budget or 0 for name, one in self.families.items()}

    def smaller_spaces(self) -> Iterator[tuple[str, int]]:
        """The families with fewer configurations than their budget, and how many they have."""
        for family, budget in self.budgets.items():
            grid = self.sampler.name in checks.GRIDS
            size = self.grid_size(family) if grid else self.space_size(family)
            if size is not None and size < budget:
                yield family, size

    def refuse_larger_than(self, memory: int) -> None:
        """Raise an InputError if training the largest network takes more than ``memory`` bytes."""
        for family, one in self.families.items():
            size = largest_network(family, self.space(family), one.fixed)
            if size * BYTES_A_PARAMETER > memory:
                raise InputError(
                    f"study {self.name}: the largest {family} has {size:,} parameters,"
                    f" to train it takes {size * BYTES_A_PARAMETER / 1e9:,.0f} GB of memory, and"
                    f" this machine has {memory / 1e9:,.0f}; search smaller ones"
                )

    def with_budgets(self, budgets: Mapping[str, int]) -> Self:
        """The same study with other budgets, or an InputError where one fits no family of it."""
        for family, budget in budgets.items():
            if family not in self.families:
                hint = nearest(family, self.families)
                raise InputError(f"budget: the study has no family {family}; {hint}")
            if not 1 <= budget <= LARGEST_BUDGET:
                text = f"budget: {family} takes 1 to {LARGEST_BUDGET} trials, not {budget}"
                raise InputError(text)
        return self._with(budgets, "budget")

    def with_around(self, study: str) -> Self:
        """The same study with every fixed part taken from a study; else an InputError."""
        try:
            study_name(study)
        except ValueError as error:
            raise InputError(f"around: {study}: {error}") from error
        bare = self._with({name: {} for name in self.families}, "fixed")
        return bare._with(dict.fromkeys(self.families, study), "around")

    def resolve_around(self, best: Mapping[str, Mapping[str, object]]) -> Self:
        """Complete the fixed part of each family that has ``around``, which becomes ``fixed_from``.

        ``best`` has, by family, the best configuration of the study that ``around`` names; what the
        family searches is left out of it, and what the file fixes stays as it is.

        Raises:
            InputError: A configuration does not fit.
        """
        document = self.model_dump(mode="json")
        for name, family in document["families"].items():
            if family["around"] is None:
                continue
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
