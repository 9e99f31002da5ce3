"""How the problems of a study file are worded: one line with the file, the key and a way out."""

import json
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from blood_hpo.errors import InputError, StudyError
from blood_hpo.version import __version__

Key = tuple[int | str, ...]

LONGEST_VALUE = 40
"""Characters of a refused string that a message repeats."""

MOST = 10
"""Problems of a file that a message names."""

_WORDING = {
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "a valid tuple": "an array",
}
_TABLE = {"model_type", "dict_type", "mapping_type", "model_attributes_type"}


class Problem(NamedTuple):
    """Something wrong at one key, relative to the table that was looked at."""

    key: Key
    text: str


def nearest(name: str, valid: Iterable[str]) -> str:
    """The valid name that was probably meant, or all of them.

    >>> nearest("unitz", ["units", "dropout"])
    'did you mean "units"?'
    >>> nearest("x", ["units", "dropout"])
    'choose one of units, dropout'
    """
    names = list(valid)
    return _meant(name, names) or f"choose one of {', '.join(names)}"


def shown(value: object) -> str:
    """A refused value as TOML would spell it, without its contents where it has many."""
    if isinstance(value, str):
        short = value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE] + "..."
        return json.dumps(short, ensure_ascii=False)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 64:  # noqa: PLR2004
        return "a huge integer"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, dict):
        return "a table"
    return "an array" if isinstance(value, list) else f"a {type(value).__name__}"


def describe(details: ErrorDetails, known: Sequence[str] = ()) -> str:
    """One of pydantic's errors in the words of a study file, whose table has the keys ``known``."""
    value, text, kind = details.get("input"), details["msg"], details["type"]
    if kind == "missing":
        return "missing"
    if kind == "extra_forbidden":
        return f"unknown key; {nearest(str(details['loc'][-1]), known)}"
    if kind == "literal_error":
        valid = re.findall(r"'([^']*)'", details["ctx"]["expected"])
        said = f"{shown(value)} is not one of {', '.join(valid)}"
        return "; ".join(filter(None, (said, _meant(value, valid))))
    if kind in _TABLE:
        return f"should be a table, not {shown(value)}"
    if text.startswith("Input should"):
        for theirs, ours in _WORDING.items():
            text = text.replace(theirs, ours)
        return f"{text.removeprefix('Input ')}, not {shown(value)}"
    return text.removeprefix("Value error, ")


def refusal(problems: Sequence[Problem]) -> ValidationError:
    """All problems as the error that a pydantic validator raises, each at its own key."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("study_file", "{text}", {"text": text}), loc=key, input=None
        )
        for key, text in problems
    ]
    return ValidationError.from_exception_data("study file", details)


def problems(error: ValidationError, known: Sequence[str] = ()) -> list[Problem]:
    """What pydantic found in a table with the keys ``known``, in the words of a study file."""
    return [Problem(one["loc"], describe(one, known)) for one in error.errors(include_url=False)]


def input_error(source: str, error: ValidationError) -> InputError:
    """Every problem on one line, each behind its key; of very many the first."""
    return InputError(f"{source}: {_told(error, MOST)}")


def stored_error(name: str, version: str, error: ValidationError) -> StudyError:
    """What is wrong with a study file in the database, which ``version`` of the program wrote."""
    return StudyError(
        f"study {name!r} holds no study file of blood_hpo {__version__} ({_told(error, 1)}); use"
        f" version {version}, which created it, or restore the database from a backup"
    )


def _told(error: ValidationError, most: int) -> str:
    found = problems(error)
    told = [": ".join(filter(None, (_dotted(key), text))) for key, text in found[:most]]
    more = [f"and {len(found) - most} more"] if len(found) > most else []
    return "; ".join(told + more)


def _meant(value: object, valid: Sequence[str]) -> str:
    close = get_close_matches(value.lower(), valid, n=1) if isinstance(value, str) else []
    return f'did you mean "{close[0]}"?' if close else ""


def _dotted(key: Key) -> str:
    parts = [str(part) for part in key]
    return ".".join(one if re.fullmatch("[A-Za-z0-9_-]+", one) else shown(one) for one in parts)
