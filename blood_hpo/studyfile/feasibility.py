"""Whether the values of a study file fit the hyperparameters of a model family."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile.messages import Key, Problem, describe, nearest
from blood_hpo.studyfile.parameters import Categorical, Float, Integer

Space = Mapping[str, Categorical | Integer | Float]


def fields(family: str) -> list[str]:
    """The hyperparameters of a family."""
    return list(FAMILIES[family].hyperparameters.model_fields)


def unknown(name: str, family: str) -> str:
    """What to say of a hyperparameter that a family does not have."""
    return f"unknown hyperparameter; {nearest(name, fields(family))}"


def misfit(family: str, name: str, value: object) -> str | None:
    """Why a hyperparameter cannot take a value, or None if it can."""
    try:
        _field(family, name).validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False)
        if not isinstance(value, str):  # the names that a number could also be replaced by
            found = [one for one in found if one["type"] != "literal_error"] or found
        texts = [describe(details) for details in found]
        meant = [text for text in texts if "did you mean" in text]
        return ", and ".join(meant or texts)
    return None


def unfit(
    families: Sequence[str], key: Key, parameter: Categorical | Integer | Float
) -> Iterator[Problem]:
    """The first value of a searched hyperparameter that one of the families cannot take."""
    name = str(key[-1])
    texts = (misfit(family, name, value) for family in families for value in parameter.probes)
    text = next(filter(None, texts), None)
    if text is None and isinstance(parameter, Integer):
        text = _not_whole(families[0], name, parameter)
    if text:
        yield Problem(key, text)


def combinations(family: str, space: Space, fixed: Mapping[str, object]) -> str | None:
    """Why some values that fit one by one do not fit together, or None; looked for pair by pair."""
    first = {**fixed, **{name: parameter.probes[0] for name, parameter in space.items()}}
    for pair in itertools.combinations([*space, *space][: max(2, len(space))], 2):
        for values in itertools.product(*(space[name].probes for name in pair)):
            text = _disagreement(family, {**first, **dict(zip(pair, values, strict=True))})
            if text:
                return text
    return None


def largest_network(family: str, space: Space, fixed: Mapping[str, object]) -> int:
    """About how many parameters the largest network of a space has; 0 for a family not known here.

    Within each hyperparameter the number is largest at one of the ends.
    """
    names, size = _NETWORKS.get(family, ((), lambda: 0))
    return max(
        size(*values)
        for values in itertools.product(*(_ends(family, space, fixed, name) for name in names))
    )


def _ends(family: str, space: Space, fixed: Mapping[str, object], name: str) -> list[int]:
    default = FAMILIES[family].hyperparameters.model_fields[name].default
    values = space[name].probes if name in space else [fixed.get(name, default)]
    numbers = [value for value in values if isinstance(value, int)]
    return [min(numbers), max(numbers)] if numbers else [WHOLE_MAP]


def _cnn(filters: int, kernel: int, pool: int) -> int:
    return filters * (3 * kernel**2 + 8 * max(1, (29 - kernel) // pool) ** 2)


def _resnet(filters: int, blocks: int, convolutions: int) -> int:
    return sum(9 * convolutions * (filters * 2**block) ** 2 for block in range(1, blocks + 1))


WHOLE_MAP = 28
"""What a pooling over the whole feature map is, in pixels."""

_NETWORKS: Mapping[str, tuple[tuple[str, ...], Callable[..., int]]] = {
    "mlp": (("units",), lambda units: 2361 * units),
    "cnn": (("filters", "kernel_size", "pool_size"), _cnn),
    "resnet": (("initial_filters", "blocks", "convolutions_per_block"), _resnet),
}
"""The hyperparameters that set a network's size, and its weights without the smallest terms."""


def _disagreement(family: str, config: Mapping[str, object]) -> str | None:
    try:
        FAMILIES[family].hyperparameters.model_validate(config)
    except ValidationError as error:
        return describe(error.errors(include_url=False)[0])
    return None


def _not_whole(family: str, name: str, parameter: Integer) -> str | None:
    if isinstance(_field(family, name).validate_python(parameter.low), int):
        return None
    return f"takes any number: write low = {parameter.low}.0 and high = {parameter.high}.0"


@cache
def _field(family: str, name: str) -> TypeAdapter[Any]:
    field = FAMILIES[family].hyperparameters.model_fields[name]
    annotation: Any = field.annotation
    if field.metadata:
        annotation = Annotated[annotation, *field.metadata]
    return TypeAdapter(annotation, config=ConfigDict(strict=True, allow_inf_nan=False))
