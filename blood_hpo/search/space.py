"""A family's search space in Optuna's terms, and configurations enumerated from it."""

import itertools
from collections.abc import Iterator

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from blood_hpo.studyfile.parameters import Categorical, Integer, Parameter
from blood_hpo.studyfile.schema import StudySpec

MODEL = "model"
"""Name of the categorical parameter that selects the family; all others hang under it."""

Params = dict[str, object]
"""Searched hyperparameters of one trial by name, without ``model``."""


def distribution(parameter: Parameter) -> BaseDistribution:
    """Translate one parameter of a study file."""
    if isinstance(parameter, Categorical):
        return CategoricalDistribution(tuple(parameter.values))
    if isinstance(parameter, Integer):
        return IntDistribution(
            parameter.low, parameter.high, log=parameter.log, step=parameter.step or 1
        )
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def family_distributions(spec: StudySpec, family: str) -> dict[str, BaseDistribution]:
    """What the family searches, by name; ``model`` is not among them since it is given."""
    return {name: distribution(value) for name, value in spec.space(family).items()}


def model_distribution(spec: StudySpec) -> CategoricalDistribution:
    """The parameter that selects the family; its choices are the study's families in file order."""
    return CategoricalDistribution(tuple(spec.families))


def combinations(spec: StudySpec, family: str) -> Iterator[Params]:
    """Every configuration of a finite space, the last parameter varying fastest.

    Raises:
        ValueError: A parameter has infinitely many values.
    """
    space = spec.space(family)
    infinite = [name for name, parameter in space.items() if parameter.values is None]
    if infinite:
        raise ValueError(f"{family} has infinitely many configurations: {', '.join(infinite)}")
    for row in itertools.product(*(parameter.values or () for parameter in space.values())):
        yield dict(zip(space, row, strict=True))
