"""The three kinds of searched hyperparameters, and how a study file spells them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

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

from blood_hpo.studyfile.messages import problems, refusal, shown

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
    raise _expected("a string, a boolean or a number within 2^53", value)


class Table(BaseModel):
    """A table of a study file: read-only, strict about types, and without unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, serialize_by_alias=True
    )

    @model_validator(mode="wrap")
    @classmethod
    def _worded(cls, data: Any, check: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - whatever stands in the file
        """Say of each unknown key here, where the known ones are known, which was meant."""
        try:
            return check(data)
        except ValidationError as error:
            known = [field.alias or name for name, field in cls.model_fields.items()]
            raise refusal(problems(error, known)) from None


class Categorical(RootModel[tuple[Annotated[Scalar, BeforeValidator(scalar)], ...]]):
    """One of a few different values, written as an array."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _is_choice(self) -> Self:
        if not self.root:
            raise ValueError("an empty array leaves nothing to choose from")
        if len(self.root) > MOST_CHOICES:
            raise ValueError(f"has {len(self.root)} choices; give at most {MOST_CHOICES}")
        repeated = [c for i, c in enumerate(self.root) if c in self.root[:i]]
        if repeated:
            raise ValueError(f"the choice {shown(repeated[0])} is listed twice")
        return self

    @property
    def values(self) -> Sequence[Scalar]:
        """The choices, in file order."""
        return self.root

    @property
    def probes(self) -> Sequence[Scalar]:
        """Values that are valid together only if all are: here every choice."""
        return self.root

    def contains(self, value: object) -> bool:
        """Whether the value is one of the choices; 1 is not true."""
        return any(
            choice == value and isinstance(choice, bool) is isinstance(value, bool)
            for choice in self.root
        )


class _Range(Table):
    low: float
    high: float
    log: bool = False

    @property
    def probes(self) -> Sequence[Scalar]:
        """Values that are valid together only if all are: here both ends."""
        return (self.low, self.high)

    @model_validator(mode="after")
    def _is_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(
                f"low must be less than high, but {self.low} is not less than {self.high}"
            )
        if self.log and self.low <= 0:
            raise ValueError(f"a log scale needs low greater than 0, not {self.low}")
        return self


Bound = Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]


class Integer(_Range):
    """A whole number from ``low`` to ``high``, both included, in steps or on a log scale."""

    low: Bound
    high: Bound
    step: Annotated[int, Field(ge=1, le=LARGEST_INTEGER)] = 1

    @model_validator(mode="after")
    def _is_stepped(self) -> Self:
        if (self.high - self.low) % self.step:
            raise ValueError(f"high is not a whole number of steps of {self.step} above low")
        if self.log and self.step != 1:
            raise ValueError("a log scale has no step; remove step or log")
        return self

    @property
    def values(self) -> Sequence[int]:
        """All values, in ascending order."""
        return range(self.low, self.high + 1, self.step)

    def contains(self, value: object) -> bool:
        """Whether the value is a whole number of the range."""
        return type(value) is int and value in self.values


class Float(_Range):
    """A number from ``low`` to ``high``, both included, evenly or on a log scale."""

    values: ClassVar[None] = None

    def contains(self, value: object) -> bool:
        """Whether the value is a number within the range."""
        return type(value) in {int, float} and self.low <= value <= self.high  # type: ignore[operator]


def parameter(value: object) -> Categorical | Integer | Float:
    """Read an array as choices and a table as a range: of integers if both its ends are integers.

    >>> list(parameter({"low": 1, "high": 3}).values)
    [1, 2, 3]
    """
    if isinstance(value, Categorical | Integer | Float):
        return value
    if isinstance(value, list):
        return Categorical.model_validate(value)
    if not isinstance(value, Mapping):
        raise _expected("an array of choices or a table with low and high", value)
    whole = all(type(value[end]) is int for end in ("low", "high") if end in value)
    return Integer.model_validate(value) if whole else Float.model_validate(value)


def _expected(what: str, value: object) -> PydanticCustomError:
    words = {"what": what, "value": shown(value)}
    return PydanticCustomError("unexpected", "should be {what}, not {value}", words)


Parameter = Annotated[Categorical | Integer | Float, BeforeValidator(parameter)]
