"""The drawings of a trial: well-formed, with the numbers that they are drawn from."""

import math
import xml.etree.ElementTree as Xml

from hypothesis import given, settings
from hypothesis import strategies as st

from blood_hpo.dashboard.trial_pictures import pictures_of_folds, pictures_of_model
from blood_hpo.report.outcome.prediction_figures import confusion
from blood_hpo.report.page.theme import ACCENT, standalone
from blood_hpo.report.process.training_figures import Line, lines
from blood_hpo.store.results import Results
from blood_hpo.training.fold_result import FoldResult

SVG = "{http://www.w3.org/2000/svg}"


def trial(epochs: int = 3) -> Results:
    rising = [0.5 + 0.1 * epoch for epoch in range(epochs)]
    fold = FoldResult(0.7, epochs, epochs, rising, rising, rising)
    matrix = [[9 if i == j else i for j in range(8)] for i in range(8)]
    return Results([fold] * 3, 1.0, 1000, matrix)


def words(svg: bytes) -> list[str]:
    return [one.text or "" for one in Xml.fromstring(svg).iter(f"{SVG}text")]


def test_a_trial_has_curves_of_all_folds_and_a_confusion_matrix() -> None:
    found = pictures_of_folds("mlp, trial 4", trial())
    assert sorted(found) == ["confusion.svg", "curves.svg"]
    drawn = Xml.fromstring(found["curves.svg"])
    assert drawn.tag == f"{SVG}svg"
    assert {"mlp, trial 4", "fold 1", "fold 3", "epoch"} <= set(words(found["curves.svg"]))
    said = words(found["confusion.svg"])
    assert "mlp, trial 4, held-out folds: 72 of 268 right (26.87%)" in said
    assert said.count("9") == 8
    assert "imm. granul." in said


def test_a_model_shows_training_beside_validation() -> None:
    line = [0.1, 0.2]
    trained = FoldResult(0.2, 2, 2, line, line, None, line, line, line)
    found = pictures_of_model("cnn, seed 1", trained, [1] * 64)
    assert words(found["curves.svg"]).count("training") == 1
    assert any("test split" in one for one in words(found["confusion.svg"]))


def test_equal_numbers_give_equal_bytes() -> None:
    assert pictures_of_folds("mlp, trial 4", trial()) == pictures_of_folds("mlp, trial 4", trial())


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), max_size=60), max_size=6),
    st.text(max_size=30).filter(lambda text: text.isprintable()),
)
def test_whatever_the_numbers_and_names_it_is_well_formed(
    values: list[list[float]], name: str
) -> None:
    drawn = [Line(name, one, ACCENT, chosen=len(one) or None) for one in values]
    Xml.fromstring(standalone(lines("curves", name, {name: drawn}).svg))
    Xml.fromstring(standalone(confusion("confusion", name, [[0] * 8] * 8, ACCENT).svg))


def test_a_file_of_its_own_says_how_large_it_is_drawn() -> None:
    """Without it a browser makes it 300 pixels wide at most."""
    root = Xml.fromstring(standalone(lines("curves", "", {"": []}).svg))
    assert root.attrib["viewBox"] == f"0 0 {root.attrib['width']} {root.attrib['height']}"


def test_a_number_that_is_none_is_left_out() -> None:
    drawn = {"": [Line("", [math.nan, 1.0, math.inf], ACCENT)]}
    Xml.fromstring(standalone(lines("curves", "", drawn).svg))
