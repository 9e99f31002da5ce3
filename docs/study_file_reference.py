"""Print docs/study-file-reference.md: every key of a study file, and the studies that are shipped.

Type, range and default are the schema's, the meaning is that of its docstrings. `make docs` writes
the page, and a test holds that it is up to date.
"""

import inspect
import json
import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from blood_hpo.models.hyperparameters import Hyperparameters
from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.tables import (
    DataSpec,
    FamilySpec,
    FinalSpec,
    PrunerSpec,
    SamplerSpec,
    StudyName,
    StudyTables,
    TrainingSpec,
)

STUDIES = Path(__file__).parents[1] / "studies"
HEAD = """# Reference of study files

Written by `make docs` from the schema. How to write a study file: [study-files.md](study-files.md).
"""
TABLES: Mapping[str, type[BaseModel]] = {
    "Top level": StudyTables,
    "`[data]`": DataSpec,
    "`[training]`": TrainingSpec,
    "`[sampler]`": SamplerSpec,
    "`[pruner]`": PrunerSpec,
    "`[final]`": FinalSpec,
    "`[families.NAME]`": FamilySpec,
    "Hyperparameters of every family": Hyperparameters,
    **{f"Hyperparameters of `{name}`": one.hyperparameters for name, one in FAMILIES.items()},
}
Rules = tuple[object, ...]
TYPES: Mapping[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
BOUNDS: Mapping[type, str] = {Gt: ">", Ge: "≥", Lt: "<", Le: "≤"}


def reference() -> str:
    """The whole page."""
    tables = (line for heading, table in TABLES.items() for line in _table(heading, table))
    return "\n".join([HEAD, *tables, *_shipped()]) + "\n"


def _table(heading: str, table: type[BaseModel]) -> Iterator[str]:
    meanings = _described(table)
    shared = set(Hyperparameters.model_fields) if table is not Hyperparameters else set()
    yield f"## {heading}\n\n|Key|Values|Default|Meaning|\n|---|---|---|---|"
    for name, field in table.model_fields.items():
        if name not in shared:
            cells = [f"`{field.alias or name}`", *_allowed(field), meanings.get(name, "")]
            yield f"|{'|'.join(cells)}|"
    yield ""


def _described(table: type[BaseModel]) -> dict[str, str]:
    """What the docstring says of each attribute."""
    _, _, attributes = inspect.cleandoc(table.__doc__ or "").partition("\n\nAttributes:\n")
    found = re.findall(r"^    (\w+): (.+(?:\n     .+)*)", attributes, re.MULTILINE)
    return {
        name: " ".join(text.split()).replace("``", "`").replace("|", "\\|") for name, text in found
    }


def _allowed(field: FieldInfo) -> list[str]:
    """Type, range and default in words; of one of several words, these."""
    parts = list(_parts(field.annotation, tuple(field.metadata)))
    values = [" ".join(filter(None, (_type(*one), _range(*one)))) for one in parts]
    return [" or ".join(values), _default(field)]


def _parts(annotation: object, rules: Rules = ()) -> Iterator[tuple[object, Rules]]:
    """The alternatives of a type without None, each with its constraints."""
    if get_origin(annotation) is Annotated:
        inner, *own = get_args(annotation)
        flat = [x for one in own for x in (one.metadata if isinstance(one, FieldInfo) else [one])]
        yield from _parts(inner, (*rules, *flat))
    elif get_origin(annotation) in {Union, types.UnionType}:
        for one in get_args(annotation):
            yield from _parts(one, rules)
    elif annotation is not type(None):
        yield annotation, rules


def _type(annotation: object, rules: Rules) -> str:
    if any(one in rules for one in get_args(StudyName)[1:]):
        return "name"
    if get_origin(annotation) is Literal:
        return ""
    if get_origin(annotation) is tuple:
        return "array of arrays"
    return TYPES.get(annotation, "table")


def _range(annotation: object, rules: Rules) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    return ", ".join(
        f"{sign}{getattr(rule, kind.__name__.lower())}"
        for rule in rules
        for kind, sign in BOUNDS.items()
        if isinstance(rule, kind)
    )


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if isinstance(field.default, BaseModel):
        return "all defaults"
    return "none" if field.default is None else f"`{json.dumps(field.default)}`"


def _shipped() -> Iterator[str]:
    yield "## Shipped studies\n\n|File|What it is|\n|---|---|"
    for file in sorted(STUDIES.glob("*.toml")):
        yield f"|[`{file.name}`](../studies/{file.name})|{load(file).description}|"


if __name__ == "__main__":
    print(reference(), end="")
