"""A family's search space in Optuna's terms."""

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
        low, high = parameter.low, parameter.high
        return IntDistribution(low, high, log=parameter.log, step=parameter.step)
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def family_distributions(spec: StudySpec, family: str) -> dict[str, BaseDistribution]:
    """What the family searches, by name; ``model`` is not among them since it is given."""
    return {name: distribution(value) for name, value in spec.space(family).items()}


def model_distribution(spec: StudySpec) -> CategoricalDistribution:
    """The parameter that selects the family; its choices are the study's families in file order."""
    return CategoricalDistribution(tuple(spec.families))
