"""Whether the values of a study file fit the hyperparameters of a model family."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from blood_hpo.data.facts import SIDE
from blood_hpo.models.hyperparameters import Hyperparameters
from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile.messages import Key, Problem, describe
from blood_hpo.studyfile.parameters import Integer, Parameter

Space = Mapping[str, Parameter]


def fields(family: str) -> list[str]:
    """The hyperparameters of a family."""
    return list(FAMILIES[family].hyperparameters.model_fields)


def misfit(family: str, name: str, value: object) -> str | None:
    """Why a hyperparameter cannot take a value, whatever the others have; None if it can."""
    found = [one for one in _errors(family, {name: value}) if one["loc"]]
    if not isinstance(value, str):  # the names that a number could also be replaced by
        found = [one for one in found if one["type"] != "literal_error"] or found
    texts = [describe(one, fields(family)) for one in found]
    meant = [text for text in texts if "did you mean" in text]
    return ", and ".join(meant or texts) or None


def unfit(families: Sequence[str], key: Key, parameter: Parameter) -> Iterator[Problem]:
    """The first value of a searched hyperparameter that one of the families cannot take."""
    name = str(key[-1])
    texts = (misfit(family, name, value) for family in families for value in parameter.probes)
    if text := next(filter(None, texts), None):
        yield Problem(key, text)
    elif isinstance(parameter, Integer) and not misfit(families[0], name, parameter.low + 0.5):
        low, high = parameter.low, parameter.high
        yield Problem(key, f"takes any number: write low = {low}.0 and high = {high}.0")


def combinations(family: str, space: Space, fixed: Mapping[str, object]) -> str | None:
    """Why some values that fit one by one do not fit together, or None; looked for pair by pair."""
    first = {**fixed, **{name: parameter.probes[0] for name, parameter in space.items()}}
    for pair in itertools.combinations([*space, *space][: max(2, len(space))], 2):
        for values in itertools.product(*(space[name].probes for name in pair)):
            for error in _errors(family, {**first, **dict(zip(pair, values, strict=True))}):
                return describe(error)
    return None


def largest_network(family: str, space: Space, fixed: Mapping[str, object]) -> int:
    """Trainable parameters of the largest network of a space.

    Within each hyperparameter the number is largest at one of the ends.
    """
    ends = {name: _ends(parameter.probes) for name, parameter in space.items()}
    return max(_sizes(family, ends, fixed))


def has_network(family: str, space: Space, fixed: Mapping[str, object], most: int | None) -> bool:
    """Whether a network of a space has at most so many trainable parameters.

    Of a range the lowest values are tried, as many as a kernel has sizes.
    """
    choices = {
        name: one.values[:SIDE] if isinstance(one, Integer) else one.probes
        for name, one in space.items()
        if name not in Hyperparameters.model_fields
    }
    return most is None or any(size <= most for size in _sizes(family, choices, fixed))


def _sizes(
    family: str, choices: Mapping[str, Collection[object]], fixed: Mapping[str, object]
) -> Iterator[int]:
    one = FAMILIES[family]
    for row in itertools.product(*choices.values()):
        values: dict[str, Any] = {**fixed, **dict(zip(choices, row, strict=True))}
        # Not validated: sizes that fit alone may not fit together.
        yield one.parameter_count(one.hyperparameters.model_construct(**values))


def _ends(probes: Sequence[object]) -> set[object]:
    """The smallest and the largest whole number, both of a choice, or any value of all else."""
    numbers = [value for value in probes if isinstance(value, int)]
    return {min(numbers), max(numbers)} if numbers else {probes[0]}


def _errors(family: str, config: Mapping[str, object]) -> list[ErrorDetails]:
    try:
        FAMILIES[family].hyperparameters.model_validate(config)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []
