"""The study file of a report gives back the study that it was written from."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blood_hpo.report.files import study_file
from blood_hpo.studyfile.fingerprint import differences, fingerprint
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec

SHIPPED = sorted((Path(__file__).parents[3] / "studies").glob("*.toml"))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
DOCUMENTS = st.recursive(
    VALUES | st.lists(VALUES),
    lambda inner: st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
).filter(lambda found: isinstance(found, dict))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_study_comes_back(path: Path) -> None:
    spec = load(path)
    text = study_file(spec.model_dump(mode="json"), "A study")
    assert StudySpec.parse(tomllib.loads(text), "again") == spec


def test_a_study_around_another_comes_back() -> None:
    spec = load(next(path for path in SHIPPED if path.stem == "units")).with_around("blood")
    best = {"mlp": {"units": 64, "batch_size": 32, "dropout": 0.25, "learning_rate": None}}
    resolved = spec.resolve_around(best)
    text = study_file(resolved.model_dump(mode="json"), "A study")
    again = StudySpec.parse(tomllib.loads(text), "again")
    assert differences(resolved, again) == []
    assert fingerprint(again) == fingerprint(resolved)
    assert 'fixed_from = "blood"' in text


@given(DOCUMENTS)
def test_any_values_come_back(document: dict[str, object]) -> None:
    assert tomllib.loads(study_file(document, "Anything")) == document
