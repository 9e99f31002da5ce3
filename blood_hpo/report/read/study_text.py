"""A study file in TOML, from the JSON that the database holds: Python itself only reads TOML."""

import json
import re
from collections.abc import Iterator
from typing import Any

from blood_hpo.database.record import Json
from blood_hpo.report.read.findings import Findings

STUDIES = "studies"
"""Folder of the study files beside the page."""

ORDER = (
    *("name", "description", "seed", "objective"),
    *("data", "training", "sampler", "pruner", "final", "space", "families"),
)
"""The keys of a study file."""


def study_files(found: Findings) -> dict[str, Json]:
    """The stored files of a study and of the grids around it, by name, in the order to run them."""
    grids = {one.study: one.spec for one in found.grids.values() if one.around}
    return {found.study.name: found.study.spec, **grids}


def study_file(spec: Json, heading: str) -> str:
    """The study file that a study was created from, with all defaults.

    Args:
        spec: The study file as it is stored; nulls, which TOML has none of, are left out: they are
            the defaults.
        heading: One line for people.
    """
    ordered = dict(sorted(spec.items(), key=lambda item: _place(item[0])))
    lines = "\n".join(_lines("", ordered)).strip()
    return f"# {heading}\n\n{lines}\n"


def _lines(path: str, table: Json) -> Iterator[str]:
    """The values of a table, then the tables in it."""
    present = {key: value for key, value in table.items() if value is not None}
    tables = {key: value for key, value in present.items() if _is_table(value)}
    for key, value in present.items():
        if key not in tables:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in tables.items():
        name = f"{path}.{_key(key)}" if path else _key(key)
        if not value or not all(_is_table(one) for one in value.values()):
            yield ""
            yield f"[{name}]"
        yield from _lines(name, value)


def _place(key: str) -> int:
    """The database keeps no order, so the keys come in that of the shipped files."""
    return ORDER.index(key) if key in ORDER else len(ORDER)


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and "low" not in value


def _value(value: Any) -> str:  # noqa: ANN401 - whatever a study file holds
    if isinstance(value, dict):
        pairs = (f"{_key(key)} = {_value(one)}" for key, one in value.items() if one is not None)
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # TOML writes texts, numbers and truth as JSON does, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else _value(key)
