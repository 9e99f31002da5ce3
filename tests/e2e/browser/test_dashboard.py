"""What an onlooker sees in a browser: pages load, curves draw, pictures show, nothing is deleted.

``BLOOD_HPO_SCREENSHOTS=folder`` keeps what the window showed at the end of each test.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from .chromium import Chromium

DRAWN = "document.querySelectorAll('.js-plotly-plot .scatterlayer .trace path').length"


def ask(address: str, path: str) -> Any:
    with urlopen(f"{address}{path}", timeout=120) as answer:
        return json.load(answer)


@pytest.fixture
def studies(dashboard: str) -> dict[str, int]:
    found = ask(dashboard, "/api/studies")["study_summaries"]
    return {one["study_name"]: one["study_id"] for one in found}


@pytest.fixture
def page(window: Chromium, pictures: Path) -> Iterator[Chromium]:
    window.errors.clear()
    yield window
    window.picture(pictures)
    assert window.errors == []


def calm(page: Chromium) -> None:
    """Every request of the page was answered well."""
    assert [answer for answer in page.answers if answer[0] >= 400] == []


def test_all_stages_are_listed(page: Chromium, dashboard: str, studies: dict[str, int]) -> None:
    page.open(dashboard)
    for name in ("seen", "seen-confirm", "seen-final"):
        page.wait_for(name)
        assert name in studies
    calm(page)


def test_the_history_is_drawn(page: Chromium, dashboard: str, studies: dict[str, int]) -> None:
    page.open(f"{dashboard}/dashboard/studies/{studies['seen']}")
    page.wait_for("Best Trial")
    page.wait(f"{DRAWN} > 5")
    assert "accuracy" in page.words()  # the metric has its name
    calm(page)


def test_learning_curves_are_drawn(page: Chromium, dashboard: str, studies: dict[str, int]) -> None:
    page.open(f"{dashboard}/dashboard/studies/{studies['seen']}")
    page.wait_for("Intermediate values")
    curves = "document.querySelector('#graph-intermediate-values')"
    page.wait(f"{curves}.querySelectorAll('.scatterlayer .trace').length === 12")
    page.run(f"{curves}.scrollIntoView()")
    calm(page)


def test_the_note_tells_the_story(page: Chromium, dashboard: str, studies: dict[str, int]) -> None:
    page.open(f"{dashboard}/dashboard/studies/{studies['seen']}/note")
    page.wait_for("How to read these pages")
    said = page.words()
    for words in ("Finished", "12 of 12", "Best of mlp", "Retrained and tested once"):
        assert words in said
    assert page.run("document.querySelectorAll('table td').length") > 30  # tables are drawn
    number = page.run("document.querySelector('table a').innerText")
    page.click("table a")
    page.wait_for(f"Trial {number} (trial_id=")
    calm(page)


@pytest.mark.parametrize("study", ["seen", "seen-final"])
def test_pictures_of_the_best_trial_are_shown(
    study: str, page: Chromium, dashboard: str, studies: dict[str, int]
) -> None:
    detail = ask(dashboard, f"/api/studies/{studies[study]}")
    best = detail["best_trials"][0]["number"]
    page.open(f"{dashboard}/dashboard/studies/{studies[study]}/trials?numbers={best}")
    page.wait_for("confusion.svg")
    page.wait_for("curves.svg")
    shown = "[...document.querySelectorAll('img')].filter(one => one.naturalWidth > 300).length"
    page.wait(f"{shown} === 2")
    page.run("document.querySelector('img').scrollIntoView()")
    said = page.words()
    for words in ("fold_scores", "seconds", "worker", "parameters"):
        assert words in said
    calm(page)


def test_the_best_ten_have_pictures_and_the_others_were_not_among_them_when_they_ended(
    dashboard: str, studies: dict[str, int]
) -> None:
    trials = ask(dashboard, f"/api/studies/{studies['seen']}")["trials"]
    ranked = sorted(trials, key=lambda one: (-one["values"][0], one["number"]))
    assert all(len(one["artifacts"]) == 2 for one in ranked[:10])
    for one in ranked[10:]:
        before = [peer for peer in trials if peer["datetime_complete"] < one["datetime_complete"]]
        better = [peer for peer in before if peer["values"] >= one["values"]]
        assert bool(one["artifacts"]) == (len(better) < 10)


def test_the_model_can_be_downloaded(dashboard: str, studies: dict[str, int]) -> None:
    study = studies["seen-final"]
    (trial,) = ask(dashboard, f"/api/studies/{study}")["trials"]
    files = {one["filename"]: one["artifact_id"] for one in trial["artifacts"]}
    path = f"/artifacts/{study}/{trial['trial_id']}/{files['model.keras']}"
    with urlopen(f"{dashboard}{path}", timeout=120) as answer:
        assert answer.read(2) == b"PK"  # a .keras file is a zip archive


def delete(page: Chromium, address: str, study: str) -> None:
    """Do what deletes a study in optuna-dashboard."""
    page.open(address)
    page.wait_for(study)
    page.click("[aria-label='delete study']")
    page.wait_for("Are you sure you want to delete")
    page.click("[role=dialog] button", "Yes")


def names(address: str) -> set[str]:
    return {one["study_name"] for one in ask(address, "/api/studies")["study_summaries"]}


def test_deleting_is_refused(page: Chromium, dashboard: str) -> None:
    before = names(dashboard)
    delete(page, dashboard, "seen-final")
    page.wait_for("Failed to delete study")
    assert 403 in [status for status, _ in page.answers]
    assert names(dashboard) == before


def test_the_role_alone_would_refuse_as_well(page: Chromium, unguarded: str) -> None:
    before = names(unguarded)
    delete(page, unguarded, "seen-final")
    page.wait_for("Failed to delete study")
    assert 500 in [status for status, _ in page.answers]
    assert names(unguarded) == before
