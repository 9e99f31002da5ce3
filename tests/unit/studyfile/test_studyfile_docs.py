"""docs/study-files.md is right, and its reference is what the schema says of every key."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile.schema import StudySpec

DOCS = Path(__file__).parents[3] / "docs"
REFERENCE = (DOCS / "study-file-reference.md").read_text(encoding="utf-8")


def test_the_reference_is_what_the_schema_says() -> None:
    said = runpy.run_path(str(DOCS / "study_file_reference.py"))["reference"]()
    assert said == REFERENCE, "docs/study-file-reference.md is out of date: run make docs"


@pytest.mark.parametrize(
    "row",
    [
        "|`name`|name|required|",
        "|`percentile`|number >0, <100|`25.0`|",
        "|`folds`|integer ≥2, ≤20|`3`|",
        "|`space`|table|`{}`|",
        "|`stages`|array of arrays|none|",
        "|`pool_size`|integer >0 or `global`|`2`|",
    ],
)
def test_type_range_and_default_are_told_in_words(row: str) -> None:
    assert row in REFERENCE


def test_every_key_has_a_meaning() -> None:
    assert re.findall(r"^\|.*\|\|$", REFERENCE, re.MULTILINE) == []


def test_every_hyperparameter_is_listed() -> None:
    names = {name for one in FAMILIES.values() for name in one.hyperparameters.model_fields}
    assert names <= set(re.findall(r"^\|`(\w+)`\|", REFERENCE, re.MULTILINE))


def test_the_examples_are_valid_study_files() -> None:
    text = (DOCS / "study-files.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    names = [StudySpec.parse(tomllib.loads(one), "example").name for one in examples]
    assert names == ["narrow", "both"]
