"""A configuration of a model family: the one form it has from the proposer to the model's card."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from blood_hpo.models.hyperparameters import Hyperparameters, canonical_json
from blood_hpo.models.registry import FAMILIES


@dataclass(frozen=True)
class Configuration:
    """A family with valid values of all its hyperparameters: searched, fixed and default."""

    family: str
    hyperparameters: Hyperparameters

    @classmethod
    def of(cls, family: str, document: Mapping[str, Any]) -> Self:
        """The configuration that `document` gave; of another family, a ValidationError."""
        return cls(family, FAMILIES[family].hyperparameters.model_validate(document))

    @cached_property
    def config_hash(self) -> str:
        """16 hexadecimal digits that are equal exactly for equal configurations.

        Hyperparameters at their defaults are left out, so that one can be added without changing
        any hash, nor the seeds that derive from it: an old trial can still be replayed. A default
        may never change.
        """
        given = self.hyperparameters.model_dump(mode="json", exclude_defaults=True)
        text = canonical_json({"family": self.family, "config": given})
        return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]

    @property
    def document(self) -> dict[str, Any]:
        """The hyperparameters as plain values, which JSON can hold."""
        return self.hyperparameters.model_dump(mode="json")
