"""The folder: one page that needs nothing else, the same bytes each time, replaced in one step."""

import csv
import hashlib
import json
import re
import resource
import tomllib
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from blood_hpo.data.facts import CLASSES
from blood_hpo.errors import BloodHpoError, InputError
from blood_hpo.report.files import write_models
from blood_hpo.report.read.final_stage import layers
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.render import write

from .conftest import WRITTEN, saved
from .conftest import study as study_of

VOID = {"meta", "link", "br", "img", "hr"}


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and whether they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="module")
def page(report: Path) -> Page:
    return Page((report / "report.html").read_text(encoding="utf-8"))


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_report_written_again_differs_in_its_date_only(
    finished: Findings, report: Path, tmp_path: Path
) -> None:
    later = WRITTEN + timedelta(days=40, minutes=7)
    write(finished, tmp_path / "again", later, saved)
    dates = [(moment.isoformat(), f"{moment:%Y-%m-%d %H:%M}") for moment in (later, WRITTEN)]
    again = content(tmp_path / "again")
    for name in ("report.html", "report.json"):
        for new, old in zip(*dates, strict=True):
            again[name] = again[name].replace(new.encode(), old.encode())
    assert again == content(report)


def test_the_page_needs_nothing_from_elsewhere(page: Page, report: Path) -> None:
    links = [
        str(value)
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in {"href", "src", "srcset", "data", "action", "poster"}
    ]
    local = [link for link in links if not link.startswith(("#", "data:"))]
    assert [link for link in local if not (report / link).is_file()] == []
    style = re.findall(r"<style>(.*?)</style>", (report / "report.html").read_text(), re.DOTALL)
    assert "url(" not in style[0]
    assert "@import" not in style[0]
    assert page.of("script", "iframe", "object") == []


def test_the_contents_lead_to_every_section(page: Page) -> None:
    sections = [one["id"] for one in page.of("section")]
    targets = [str(one["href"]) for one in page.of("a")]
    assert [one for one in targets if one[1:] in sections] == [f"#{name}" for name in sections]
    assert len(sections) == 12


def test_what_has_not_happened_is_not_spoken_of(begun: Findings, tmp_path: Path) -> None:
    """But once, with the command that does it."""
    path = write(begun, tmp_path / "begun", WRITTEN, saved)
    found = Page(path.read_text(encoding="utf-8"))
    names = [one["id"] for one in found.of("section")]
    assert names == ["summary", "space", "search", "data", "original", "again"]
    words = path.read_text(encoding="utf-8").partition("<body>")[2].lower()
    assert [one for one in ("resnet", "seeds", "confirm", "replay") if one in words] == []


def test_a_small_study_says_so_beside_its_numbers(finished: Findings, tmp_path: Path) -> None:
    little = {**finished.study.spec, "data": {"fraction": 0.25}, "final": {"epochs": 6}}
    few = study_of(spec=little, trials=finished.study.trials[:10])
    assert finished.final
    one = replace(finished.final, models=tuple(finished.final.families["mlp"]))
    small = replace(finished, study=few, grids={}, staged=None, confirmation=None, final=one)
    text = write(small, tmp_path / "small", WRITTEN, saved).read_text(encoding="utf-8")
    reason = "its search saw 25 % of the training images and its winners are retrained for at most"
    assert reason in text
    card = text.partition('<li class="card mlp">')[2].partition("</li>")[0]
    assert "small study" in card
    tables = re.findall(r'id="table-test">.*?</caption>', text, re.DOTALL)
    assert "small study" in tables[0]
    assert finished.small == ""


def test_every_piece_of_the_original_that_was_measured_is_on_the_page(report: Path) -> None:
    document = json.loads((report / "report.json").read_text(encoding="utf-8"))
    rows = document["sections"]["original"]["tables"]["original"]
    here = {row["original report"]: row["here"] for row in rows}
    assert here["Figure 4"] == ["stage-mlp", "grid-mlp"]
    assert here["Figure 8"] == ["stage-cnn", "grid-cnn"]
    assert [place for place, found in here.items() if not found] == []
    files = {
        path.stem for path in [*(report / "figures").iterdir(), *(report / "tables").iterdir()]
    }
    assert {name for found in here.values() for name in found} <= files


def test_no_identifier_is_given_twice(page: Page) -> None:
    names = [one["id"] for _, one in page.elements if "id" in one]
    assert len(names) == len(set(names))
    used = {str(one["href"])[1:] for one in page.of("use", "a") if str(one["href"])[:1] == "#"}
    assert used <= set(names)


def test_the_page_is_readable_without_seeing_it(page: Page) -> None:
    drawings = page.of("svg")
    assert len(drawings) > 25
    assert all(one["role"] == "img" and len(one["aria-label"] or "") > 20 for one in drawings)
    assert all(one["scope"] in {"row", "col", "rowgroup"} for one in page.of("th"))
    assert len(page.of("caption")) == len(page.of("table"))
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))


def test_every_drawing_is_valid_and_brings_its_colours_for_light_and_dark(report: Path) -> None:
    files = sorted((report / "figures").iterdir())
    assert {path.stem for path in files} >= {
        *("samples", "class-counts", "grid-mlp", "grid-cnn", "stage-mlp", "stage-cnn"),
        *("training-mlp", "confusion-cnn", "ranks-resnet", "mistakes-resnet", "calibration"),
        *("architecture-resnet", "comparison", "timeline", "confirmation-mlp"),
    }
    for path in files:
        text = path.read_text(encoding="utf-8")
        root = ET.fromstring(text)
        assert root.attrib["aria-label"]
        assert "prefers-color-scheme:dark" in text
        assert "#0100" not in text, "a placeholder is left"
        used = set(re.findall(r"var\((--\w+)\)", text))
        assert used <= set(re.findall(r"(--\w+):", text))


def test_text_of_drawings_has_seven_points_on_paper(page: Page, report: Path) -> None:
    """A4 is 516 points wide between its margins; beside others a drawing gets 28rem, 336 points."""
    wide = [str(one["id"]) for one in page.of("figure") if one.get("class") == "wide"]
    assert len(wide) > 4
    for path in (report / "figures").iterdir():
        text = path.read_text(encoding="utf-8")
        (width,) = re.findall(r'viewBox="0 0 ([\d.]+) ', text)
        paper = 516 if f"figure-{path.stem}" in wide else 336
        sizes = [float(size) for size in re.findall(r"font(?:-size)?: [^;\"]*?([\d.]+)px", text)]
        assert sizes, path
        assert min(sizes) * paper / float(width) >= 7, path


def test_every_number_is_in_the_json_and_the_tables_are_in_csv(report: Path) -> None:
    document = json.loads((report / "report.json").read_text(encoding="utf-8"))
    tables = {
        name: rows
        for section in document["sections"].values()
        for name, rows in section["tables"].items()
    }
    assert {f"{name}.csv" for name in tables} == {one.name for one in (report / "tables").iterdir()}
    with (report / "tables/seeds.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["accuracy"]) for row in rows] == pytest.approx(
        [row["accuracy"] for row in tables["seeds"]]
    )
    models = document["sections"]["test"]["models"]
    assert np.sum(models[0]["confusion"]) == 3421


def test_predictions_and_models_are_copied_as_they_were_saved(
    finished: Findings, report: Path
) -> None:
    assert finished.final
    for one in finished.final.models:
        predictions = report / "predictions" / one.medmnist_file
        assert predictions.read_bytes() == saved(f"{one.trial.number}/medmnist.csv")
        model = report / "models" / one.file
        assert model.read_bytes() == saved(f"{one.trial.number}/model.keras")
        assert model.with_suffix(".md").is_file()
        line = f"{hashlib.sha256(model.read_bytes()).hexdigest()}  {model.name}\n"
        assert Path(f"{model}.sha256").read_text() == line


def test_every_prediction_can_be_recomputed_without_a_model(
    finished: Findings, report: Path
) -> None:
    assert finished.final
    for one in finished.final.models:
        file = (report / "predictions" / one.file).with_suffix(".csv")
        with file.open(encoding="ascii") as stream:
            rows = list(csv.DictReader(stream))
        found = np.array([[row[name] for name in CLASSES] for row in rows], np.float32)
        np.testing.assert_array_equal(found, one.predictions.probabilities)
        assert [int(row["true"]) for row in rows] == one.predictions.labels.tolist()
        wrong = [int(row["image"]) for row in rows if row["true"] != row["predicted"]]
        assert wrong == one.predictions.misclassified.tolist()
        assert all((row["rank"] == "1") == (row["true"] == row["predicted"]) for row in rows)


def test_the_study_files_are_those_that_the_page_says_to_run(report: Path) -> None:
    page = (report / "report.html").read_text(encoding="utf-8")
    section = page.partition('<section id="again"')[2]
    (commands,) = re.findall(r"<code>blood-hpo run (studies/blood.toml[^<]*)</code>", section)
    command, after = commands.splitlines()
    names = ["studies/blood.toml", "studies/blood-mlp-grid.toml", "studies/blood-cnn-grid.toml"]
    assert command.split() == names
    assert after == "blood-hpo final blood"  # which its file does not ask for
    assert {one.name for one in (report / "studies").iterdir()} == {
        Path(name).name for name in names
    }
    spec = tomllib.loads((report / names[0]).read_text(encoding="utf-8"))
    assert spec["families"]["mlp"]["budget"] == 26


def test_synthetic_data_is_said_at_the_top_in_bold(
    begun: Findings, report: Path, tmp_path: Path
) -> None:
    data = {**begun.study.data, "label": "SYNTHETIC", "synthetic": True, "official": False}
    drawn = replace(begun, study=replace(begun.study, data=data))
    path = write(drawn, tmp_path / "synthetic", WRITTEN, saved)
    body = path.read_text(encoding="utf-8").partition("<body>")[2]
    assert body.index("<strong>SYNTHETIC data:</strong>") < body.index("<h1>")
    assert "SYNTHETIC" not in (report / "report.html").read_text(encoding="utf-8")


def test_what_stands_in_a_study_cannot_change_the_page(begun: Findings, tmp_path: Path) -> None:
    spec = {**begun.study.spec, "description": "</style><script>alert(1)</script>"}
    path = write(
        replace(begun, study=replace(begun.study, spec=spec)), tmp_path / "odd", WRITTEN, saved
    )
    assert Page(path.read_text(encoding="utf-8")).of("script") == []


@pytest.mark.parametrize(
    "name", ["../x.keras", "/tmp/x.keras", "..", "", "a\\b.keras", "a\nb", "a.svg"]
)
@pytest.mark.parametrize("column", ["file", "medmnist_file"])
def test_files_lie_where_they_belong_whatever_the_database_says(
    finished: Findings, tmp_path: Path, column: str, name: str
) -> None:
    assert finished.final
    changes: dict[str, Any] = {column: name}
    model = replace(finished.final.models[0], **changes)
    (tmp_path / "in").mkdir()
    with pytest.raises(BloodHpoError, match="which no worker does") as raised:
        write_models(replace(finished.final, models=(model,)), tmp_path / "in", saved)
    assert "\n" not in str(raised.value)
    assert [one for one in tmp_path.iterdir() if one.name != "in"] == []


def test_a_model_that_is_not_the_tested_one_is_not_handed_on(
    finished: Findings, tmp_path: Path
) -> None:
    with pytest.raises(BloodHpoError, match="is not the model that was tested"):
        write(finished, tmp_path / "report", WRITTEN, lambda _: b"another")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "stored",
    [
        *({}, 3, None, ["x"], [{"name": "x"}], {"layers": []}),
        [{"name": "x", "kind": "y", "output_shape": ["a"], "parameters": 0, "inputs": []}],
        [{"name": "x", "kind": "y", "output_shape": [1], "parameters": 0, "inputs": ["z"]}],
    ],
)
def test_damaged_layers_are_one_line(finished: Findings, stored: object) -> None:
    assert finished.final
    with pytest.raises(BloodHpoError, match="the description of its layers is not what") as raised:
        layers(stored, finished.final.models[0].trial)
    assert "\n" not in str(raised.value)


def test_a_report_is_replaced_and_nothing_else_is(begun: Findings, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write(begun, folder, WRITTEN, saved)
    (folder / "old").touch()
    write(begun, folder, WRITTEN, saved)
    assert not (folder / "old").exists()
    other = tmp_path / "holiday"
    other.mkdir()
    (other / "photo.jpg").touch()
    with pytest.raises(InputError, match="holds no report"):
        write(begun, other, WRITTEN, saved)
    with pytest.raises(InputError, match="is not a folder"):
        write(begun, other / "photo.jpg", WRITTEN, saved)
    assert {one.name for one in tmp_path.iterdir()} == {"report", "holiday"}


def test_a_report_that_does_not_fit_leaves_the_old_one(begun: Findings, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "report.json").write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        with pytest.raises(BloodHpoError, match=r"cannot be written to .*; free some space"):
            write(begun, folder, WRITTEN, saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (folder / "report.json").read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["report"]
