"""Whatever stands in a study file, the answer is a study or one line."""

import copy
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blood_hpo.errors import InputError
from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile.fingerprint import differences, fingerprint
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec

STUDIES = sorted((Path(__file__).parents[3] / "studies").glob("*.toml"))
SHIPPED = [path.read_bytes() for path in STUDIES]
WORDS = sorted(
    {"name", "seed", "data", "training", "sampler", "pruner", "space", "families", "low", "high"}
    | {"log", "step", "budget", "fixed", "around", "start", "stages", *FAMILIES}
    | {name for one in FAMILIES.values() for name in one.hyperparameters.model_fields}
)

KEYS = st.sampled_from(WORDS) | st.text(max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*WORDS, "tpe", "grid", "staged_grid", "relu", "global", "adam"])
    | st.dates()
    | st.sampled_from([10**40, -(2**63), 2**53])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def answer(document: object) -> StudySpec | None:
    """Parse; a refusal must be one printable line."""
    refusal = ""
    try:
        return StudySpec.parse(document, "own.toml")
    except InputError as error:
        refusal = str(error)
    assert refusal.isprintable()
    assert refusal.startswith("own.toml: ")
    return None


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything inside a parsed file."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield (*path, index)
            yield from places(inner, (*path, index))


@given(document=VALUES)
def test_any_document_is_answered(document: object) -> None:
    answer(document)


@settings(max_examples=250)
@given(data=st.data())
def test_a_shipped_file_with_one_thing_changed_is_answered(data: st.DataObject) -> None:
    original = tomllib.loads(data.draw(st.sampled_from(SHIPPED)).decode())
    document = copy.deepcopy(original)
    *path, last = data.draw(st.sampled_from(list(places(original))))
    table = document
    for part in path:
        table = table[part]
    change = data.draw(st.sampled_from(["replace", "remove", "add"]))
    if change == "replace":
        table[last] = data.draw(VALUES)
    elif change == "remove":
        del table[last]
    elif isinstance(table, dict):
        table[data.draw(KEYS)] = data.draw(VALUES)
    spec = answer(document)
    if spec is not None:
        stored = StudySpec.parse(json.loads(json.dumps(spec.model_dump(mode="json"))), "database")
        assert stored == spec
        before = answer(original)
        assert before is not None
        changed = fingerprint(before) != fingerprint(spec)
        assert changed == bool(differences(before, spec))
        assert all(
            spec.config(family, {name: one.probes[0] for name, one in spec.space(family).items()})
            for family, table in spec.families.items()
            if table.around is None
        )


@given(contents=st.binary(max_size=200))
def test_any_bytes_are_answered(tmp_path_factory: pytest.TempPathFactory, contents: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "own.toml"
    path.write_bytes(contents)
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(caught.value).isprintable()


@settings(max_examples=100)
@given(data=st.data())
def test_a_shipped_file_with_damaged_bytes_is_answered(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    contents = bytearray(data.draw(st.sampled_from(SHIPPED)))
    start = data.draw(st.integers(0, len(contents) - 1))
    length = data.draw(st.integers(0, 20))
    contents[start : start + length] = data.draw(st.binary(max_size=10))
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    path.write_bytes(contents)
    refusal = ""
    try:
        load(path)
    except InputError as error:
        refusal = str(error)
    assert refusal.isprintable()
