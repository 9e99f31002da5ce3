"""A configuration of a model family: the one form it has from the proposer to the model's card."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from blood_hpo.models.hyperparameters import Hyperparameters, config_hash
from blood_hpo.models.registry import family as registered


@dataclass(frozen=True)
class Configuration:
    """A family with all its hyperparameters: searched, fixed and default.

    Attributes:
        family: Model family.
        hyperparameters: Valid values of all of them.
    """

    family: str
    hyperparameters: Hyperparameters

    @classmethod
    def of(cls, family: str, document: Mapping[str, Any]) -> Self:
        """The configuration that `document` gave.

        Raises:
            InputError: There is no such family.
            ValidationError: The values are not of this family.
        """
        return cls(family, registered(family).hyperparameters.model_validate(document))

    @cached_property
    def config_hash(self) -> str:
        """16 hexadecimal digits that are equal exactly for equal configurations."""
        return config_hash(self.family, self.hyperparameters)

    @property
    def document(self) -> dict[str, Any]:
        """The hyperparameters as plain values, which JSON can hold."""
        return self.hyperparameters.model_dump(mode="json")
