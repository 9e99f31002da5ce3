"""The drawings of a trial: well-formed, true to their numbers, and cheap."""

import math
import time
import xml.etree.ElementTree as Xml
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blood_hpo.service.pictures import Curve, Panel, confusion, curves, ticks
from blood_hpo.service.trial_pictures import pictures_of_folds, pictures_of_model

SVG = "{http://www.w3.org/2000/svg}"


def trial(epochs: int = 3) -> dict[str, Any]:
    rising = [[0.5 + 0.1 * epoch for epoch in range(epochs)]] * 3
    return {
        "curves": {"score": rising, "validation": rising, "train_loss": rising},
        "fold_best_epochs": [epochs] * 3,
        "held_out_confusion": [[9 if i == j else i for j in range(8)] for i in range(8)],
    }


def words(svg: bytes) -> list[str]:
    return [one.text or "" for one in Xml.fromstring(svg).iter(f"{SVG}text")]


def test_a_trial_has_curves_of_all_folds_and_a_confusion_matrix() -> None:
    found = pictures_of_folds("mlp, trial 4", trial())
    assert sorted(found) == ["confusion.svg", "curves.svg"]
    drawn = Xml.fromstring(found["curves.svg"])
    assert len(drawn.findall(f".//{SVG}circle")) == 3
    assert {"mlp, trial 4", "fold 1", "2", "3", "epoch"} <= set(words(found["curves.svg"]))
    said = words(found["confusion.svg"])
    assert said[0] == "mlp, trial 4, held-out folds: 72 of 268 right (26.87%)"
    assert said.count("9") == 8
    assert "immature granulocytes" in said


def test_a_model_shows_training_beside_validation() -> None:
    line = [[0.1, 0.2]]
    names = ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss")
    attributes = {"curves": dict.fromkeys(names, line), "best_epoch": 2}
    found = pictures_of_model("cnn, seed 1", attributes, [[1] * 8] * 8)
    assert words(found["curves.svg"]).count("training") == 2
    assert "test split" in words(found["confusion.svg"])[0]


def test_a_curve_goes_through_its_points() -> None:
    drawn = Xml.fromstring(curves("", [Panel("", [Curve("", [0.0, 1.0, 0.5], "red")])]))
    (line,) = (one for one in drawn.iter(f"{SVG}path") if one.get("stroke") == "red")
    points = (line.get("d") or "")[1:].removesuffix("h0").split("L")
    xs, ys = zip(*(map(float, point.split()) for point in points), strict=True)
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert ys[2] == pytest.approx((ys[0] + ys[1]) / 2, abs=0.2)
    assert ys[1] < ys[0]  # up is good


@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), max_size=60), max_size=6),
    st.text(max_size=30).filter(lambda text: text.isprintable()),
)
def test_whatever_the_numbers_and_names_it_is_well_formed(
    values: list[list[float]], name: str
) -> None:
    drawn = [Curve(name, one, "red", chosen=len(one) or None) for one in values]
    Xml.fromstring(curves(name, [Panel(name, drawn)]))
    Xml.fromstring(confusion(name, [[0, 0], [0, 0]], [name, name]))


def test_a_number_that_is_none_is_left_out() -> None:
    Xml.fromstring(curves("", [Panel("", [Curve("", [math.nan, 1.0, math.inf], "red")])]))


@given(st.floats(-100, 100), st.floats(1e-6, 1e6))
def test_ticks_are_few_and_inside(low: float, width: float) -> None:
    found = ticks(low, low + width)
    assert 1 <= len(found) <= 8
    assert all(low - width * 1e-3 <= one <= low + width * 1.001 for one in found)


def test_pictures_cost_next_to_nothing() -> None:
    started = time.process_time()
    for _ in range(20):
        pictures_of_folds("cnn, trial 1", trial(epochs=50))
    assert (time.process_time() - started) / 20 < 0.02
