"""docs/study-files.md is complete and agrees with the schema on type, range and default."""

import json
import re
import tomllib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile.schema import (
    DataSpec,
    FamilySpec,
    FinalSpec,
    PrunerSpec,
    SamplerSpec,
    StudySpec,
    TrainingSpec,
)
from blood_hpo.studyfile.tables import StudyName

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/study-files.md").read_text(encoding="utf-8")
TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
BOUNDS = {Gt: "above", Ge: "at least", Lt: "below", Le: "at most"}


def documented(heading: str) -> dict[str, list[str]]:
    """Rows of the first table below a heading: name -> the other cells."""
    section = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split(" |") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}


def parts(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The alternatives of a type without None, each with its constraints."""
    if get_origin(annotation) is Annotated:
        inner, *own = get_args(annotation)
        flat = [x for one in own for x in (one.metadata if isinstance(one, FieldInfo) else [one])]
        yield from parts(inner, (*metadata, *flat))
    elif get_origin(annotation) in {Union, types.UnionType}:
        for one in get_args(annotation):
            yield from parts(one, metadata)
    elif annotation is not type(None):
        yield annotation, metadata


def type_of(annotation: Any, metadata: tuple[Any, ...]) -> str:
    if any(one in metadata for one in get_args(StudyName)[1:]):
        return "name"
    if get_origin(annotation) is Literal:
        return "string"
    if get_origin(annotation) is tuple:
        return "array of arrays"
    is_table = get_origin(annotation) is Mapping or (
        isinstance(annotation, type) and issubclass(annotation, BaseModel)
    )
    return "table" if get_origin(annotation) is not None or is_table else TYPES[annotation]


def range_of(annotation: Any, metadata: tuple[Any, ...]) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    bounds = [
        f"{word} {getattr(one, kind.__name__.lower())}"
        for one in metadata
        for kind, word in BOUNDS.items()
        if isinstance(one, kind)
    ]
    return ", ".join(bounds)


def default_of(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return "none"
    if isinstance(field.default, BaseModel):
        return "all defaults"
    return f"`{json.dumps(field.default)}`"


def expected(field: FieldInfo) -> list[str]:
    """Type, range and default in the words of the page."""
    found = list(parts(field.annotation, tuple(field.metadata)))
    kinds = [type_of(*one) for one in found]
    ranges = [text for one in found if (text := range_of(*one))]
    return [" or ".join(kinds), ", ".join(ranges), default_of(field)]


@pytest.mark.parametrize(
    ("heading", "table"),
    [
        ("Top level", StudySpec),
        ("`[data]`", DataSpec),
        ("`[training]`", TrainingSpec),
        ("`[sampler]`", SamplerSpec),
        ("`[pruner]`", PrunerSpec),
        ("`[final]`", FinalSpec),
        ("`[families.NAME]`", FamilySpec),
    ],
)
def test_every_key_is_documented_as_it_is(heading: str, table: type[BaseModel]) -> None:
    rows = documented(heading)
    fields = {field.alias or name: field for name, field in table.model_fields.items()}
    assert rows.keys() == fields.keys()
    assert {key: row[:3] for key, row in rows.items()} == {
        key: expected(field) for key, field in fields.items()
    }
    assert all(row[3] for row in rows.values())


def test_every_hyperparameter_is_documented_as_it_is() -> None:
    rows = documented("Hyperparameters")
    owners: dict[str, list[str]] = {}
    for family, one in FAMILIES.items():
        for name, field in one.hyperparameters.model_fields.items():
            owners.setdefault(name, []).append(family)
            assert rows[name][1:4] == expected(field), (family, name)
    everyone = list(FAMILIES)
    assert {name: row[0] for name, row in rows.items()} == {
        name: "all" if found == everyone else ", ".join(found) for name, found in owners.items()
    }


def test_the_examples_are_valid_study_files() -> None:
    examples = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    names = [StudySpec.parse(tomllib.loads(text), "example").name for text in examples]
    assert names == ["narrow", "both"]


def test_every_shipped_study_is_listed() -> None:
    shipped = {path.name for path in (ROOT / "studies").glob("*.toml")}
    assert set(documented_files()) == shipped


def documented_files() -> list[str]:
    return re.findall(r"\(\.\./studies/([a-z-]+\.toml)\)", TEXT)
