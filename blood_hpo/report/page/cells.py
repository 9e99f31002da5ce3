"""Values as a program reads them and as people do: the cells of tables, and words of sentences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from blood_hpo.text import duration as spelt

DASH: Final = "\N{EN DASH}"
NO_BREAK: Final = "\N{NO-BREAK SPACE}"
MINUS: Final = "\N{MINUS SIGN}"


class Option(NamedTuple):
    """One of the values in a cell that lists several, and whether it was found best."""

    text: str
    chosen: bool


@dataclass(frozen=True)
class Cell:
    """One value of a table.

    Attributes:
        value: As a program reads it: what JSON can hold.
        text: As people read it.
        best: Whether it stands out as the best of its kind.
        options: Where the cell lists options, what stands in place of ``text``.
        code: Whether the text is something to copy, such as a checksum.
        refers: Names of figures and tables of the page that the cell leads to.
    """

    value: Any
    text: str
    best: bool = False
    options: tuple[Option, ...] = ()
    code: bool = False
    refers: tuple[str, ...] = ()


def plain(value: object, text: str | None = None, *, best: bool = False) -> Cell:
    """A cell with a value as it is, or with a text for people; None alone is a dash."""
    shown = DASH if value is None else str(value)
    return Cell(value, shown if text is None else text, best)


def number(value: float | None, digits: int = 4, *, best: bool = False, sign: bool = False) -> Cell:
    """A cell with a number to some decimals, thousands apart; None and NaN are a dash."""
    if value is None or not math.isfinite(value):
        return Cell(None, DASH, best)
    return Cell(value, f"{value:{'+' if sign else ''},.{digits}f}".replace("-", MINUS), best)


def count(value: int | None) -> Cell:
    """A cell with a whole number; None is a dash."""
    return number(value, 0)


def code(value: str, shown: int | None = None) -> Cell:
    """A cell with something to copy, cut for people to its first characters."""
    return Cell(value, shortened(value, shown or len(value)), code=True)


def shortened(text: str, most: int) -> str:
    """The text cut to its first characters."""
    return text if len(text) <= most else f"{text[:most]}…"


def interval(low: float | None, high: float | None) -> Cell:
    """A cell with the two ends of an interval; a dash where there is none."""
    if low is None or high is None:
        return plain(None)
    return Cell([low, high], f"{low:.4f} to {high:.4f}".replace(" ", NO_BREAK).replace("-", MINUS))


def p_value(value: float | None) -> Cell:
    """A cell with a probability that may be tiny; None is a dash."""
    if value and value < 0.001:  # noqa: PLR2004
        return Cell(value, f"{value:.0e}".replace("-", MINUS))
    return number(value, 3)


def duration(seconds: float | None) -> str:
    """Seconds for people; a dash where there are none."""
    return DASH if seconds is None else spelt(seconds)


def setting(value: object) -> str:
    """A hyperparameter's value for people."""
    if value is None:
        return "library default"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else words(str(value))


def settings(params: Mapping[str, object]) -> str:
    """Hyperparameters in one line."""
    return ", ".join(f"{words(name)} {setting(value)}" for name, value in params.items())


def words(name: str) -> str:
    """A hyperparameter's name for people."""
    return name.replace("_", " ")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))


def counted(number: int, noun: str) -> str:
    """How many there are of something, in words: ``1 worker``, ``2 workers``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def mean_sd(values: Sequence[float]) -> Cell:
    """Mean ± sample standard deviation over the seeds of a model; of a single seed the score."""
    mean = float(np.mean(values))
    if len(values) == 1:
        return number(mean)
    return Cell(mean, f"{mean:.4f} ±{NO_BREAK}{np.std(values, ddof=1):.4f}")
