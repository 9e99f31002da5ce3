"""The three kinds of searched hyperparameters, and how a study file spells them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    RootModel,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from blood_hpo.studyfile.messages import Problem, nearest, problems, refusal, shown

LARGEST_INTEGER = 2**53
"""Beyond it a JSON reader may round."""

MOST_CHOICES = 100
"""Longest array of choices: more are a range, and checking all pairs of choices stays fast."""

Scalar = str | int | float | bool


def scalar(value: object) -> Scalar:
    """A value that a hyperparameter can take: a string, a boolean or a finite number."""
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int | float) and abs(value) <= LARGEST_INTEGER:
        return value
    raise PydanticCustomError(
        "scalar",
        "should be a string, a boolean or a number within 2^53, not {value}",
        {"value": shown(value)},
    )


class Table(BaseModel):
    """A table of a study file: read-only, strict about types, and without unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, serialize_by_alias=True
    )

    @model_validator(mode="wrap")
    @classmethod
    def _known_keys(cls, data: Any, check: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - whatever stands in the file
        """Name unknown keys together with what is wrong at the others."""
        valid = [field.alias or name for name, field in cls.model_fields.items()]
        keys = data if isinstance(data, Mapping) else {}
        unknown = [key for key in keys if key not in valid]
        if not unknown:
            return check(data)
        found = [
            Problem((str(key),), f"unknown key; {nearest(str(key), valid)}") for key in unknown
        ]
        try:
            check({key: data[key] for key in data if key in valid})
        except ValidationError as error:
            found += problems(error)
        raise refusal(found)


class Categorical(RootModel[tuple[Annotated[Scalar, BeforeValidator(scalar)], ...]]):
    """One of a few different values, written as an array."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _is_choice(self) -> Self:
        if not self.choices:
            raise ValueError("an empty array leaves nothing to choose from")
        if len(self.choices) > MOST_CHOICES:
            raise ValueError(f"has {len(self.choices)} choices; give at most {MOST_CHOICES}")
        repeated = [c for i, c in enumerate(self.choices) if c in self.choices[:i]]
        if repeated:
            raise ValueError(f"the choice {shown(repeated[0])} is listed twice")
        return self

    @property
    def choices(self) -> tuple[Scalar, ...]:
        """The values, in file order."""
        return self.root

    @property
    def values(self) -> Sequence[Scalar]:
        """The choices, in file order."""
        return self.choices

    @property
    def size(self) -> int:
        """Number of choices."""
        return len(self.choices)

    @property
    def probes(self) -> Sequence[Scalar]:
        """Values that are valid together only if all are: here every choice."""
        return self.choices

    def contains(self, value: object) -> bool:
        """Whether the value is one of the choices; 1 is not true."""
        return any(
            choice == value and isinstance(choice, bool) is isinstance(value, bool)
            for choice in self.choices
        )


Bound = Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]


class Integer(Table):
    """A whole number from ``low`` to ``high``, both included, in steps or on a log scale."""

    low: Bound
    high: Bound
    step: Annotated[int, Field(ge=1, le=LARGEST_INTEGER)] = 1
    log: bool = False

    @model_validator(mode="after")
    def _is_range(self) -> Self:
        check_range(self.low, self.high, log=self.log)
        if (self.high - self.low) % self.step:
            raise ValueError(f"high is not a whole number of steps of {self.step} above low")
        if self.log and self.step != 1:
            raise ValueError("a log scale has no step; remove step or log")
        return self

    @property
    def values(self) -> Sequence[int]:
        """All values, in ascending order."""
        return range(self.low, self.high + 1, self.step)

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self.values)

    @property
    def probes(self) -> Sequence[Scalar]:
        """Values that are valid together only if all are: here both ends."""
        return (self.low, self.high)

    def contains(self, value: object) -> bool:
        """Whether the value is a whole number of the range."""
        return type(value) is int and value in self.values


class Float(Table):
    """A number from ``low`` to ``high``, both included, evenly or on a log scale."""

    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _is_range(self) -> Self:
        check_range(self.low, self.high, log=self.log)
        return self

    @property
    def values(self) -> None:
        """None: infinitely many."""
        return

    @property
    def size(self) -> None:
        """None: infinite."""
        return

    @property
    def probes(self) -> Sequence[Scalar]:
        """Values that are valid together only if all are: here both ends."""
        return (self.low, self.high)

    def contains(self, value: object) -> bool:
        """Whether the value is a number within the range."""
        return type(value) in {int, float} and self.low <= value <= self.high  # type: ignore[operator]


def check_range(low: float, high: float, *, log: bool) -> None:
    """Refuse an empty range, and a log scale that reaches zero.

    Raises:
        ValueError: The range cannot be searched.
    """
    if low >= high:
        raise ValueError(f"low must be less than high, but {low} is not less than {high}")
    if log and low <= 0:
        raise ValueError(f"a log scale needs low greater than 0, not {low}")


def parameter(value: object) -> Categorical | Integer | Float:
    """Read an array as choices and a table as a range: of integers if both its ends are integers.

    >>> parameter({"low": 1, "high": 3}).size
    3
    """
    if isinstance(value, Categorical | Integer | Float):
        return value
    if isinstance(value, list):
        return Categorical.model_validate(value)
    if not isinstance(value, Mapping):
        raise PydanticCustomError(
            "parameter",
            "should be an array of choices or a table with low and high, not {value}",
            {"value": shown(value)},
        )
    whole = all(type(value[end]) is int for end in ("low", "high") if end in value)
    return Integer.model_validate(value) if whole else Float.model_validate(value)


Parameter = Annotated[Categorical | Integer | Float, BeforeValidator(parameter)]
