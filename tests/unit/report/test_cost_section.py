"""What the report says a study cost, against sums made another way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from blood_hpo.report.page.document import Section, Table
from blood_hpo.report.process import cost_section as cost
from blood_hpo.report.read.findings import Findings

from .conftest import START, trial
from .conftest import cost as cost_of
from .conftest import study as study_of


def table(section: Section, name: str) -> Table:
    return next(one for one in section.tables if one.name == name)


def text_of(section: Section) -> str:
    return " ".join(str(block) for block in section.blocks)


def test_every_stage_has_its_time(finished: Findings) -> None:
    own = [
        trial(number, "mlp", {}, 0.9, worker=f"host:{number}:1", seconds=100.0, epochs=30)
        for number in range(2)
    ]
    own[1] = replace(own[1], finished_at=START + timedelta(seconds=500))
    costs = {**finished.costs, "blood-final": cost_of("blood-final", tuple(own))}
    found = replace(finished, stages={"blood-confirm": (), "blood-final": tuple(own)}, costs=costs)
    rows = {row["stage"]: row for row in table(cost.section(found), "stages").records()}
    names = ["search", "retraining and test", "grid blood-mlp-grid", "grid blood-cnn-grid"]
    assert list(rows) == names
    row = rows["retraining and test"]
    assert (row["trials"], row["workers"], row["epochs"]) == (2, 2, 60)
    assert row["computing time"] == 200
    assert row["start to end"] == 500
    assert rows["search"]["failed"] == 1
    assert rows["search"]["computing time"] == sum(one.seconds or 0 for one in found.study.trials)


def test_a_grid_of_two_families_is_one_study(finished: Findings) -> None:
    trials = {
        family: [
            trial(n, family, {}, 0.7, worker=f"host:{family}:{n}", finished_at=START + later)
            for n, later in enumerate([timedelta(seconds=100), timedelta(seconds=seconds)])
        ]
        for family, seconds in (("mlp", 900), ("cnn", 300))
    }
    grids = {
        family: replace(finished.grids[family], study="widths", trials=tuple(own))
        for family, own in trials.items()
    }
    costs = {**finished.costs, "widths": cost_of("widths", (*trials["mlp"], *trials["cnn"]))}
    section = cost.section(replace(finished, grids=grids, costs=costs))
    row = {row["stage"]: row for row in table(section, "stages").records()}["grid widths"]
    assert (row["trials"], row["workers"], row["start to end"]) == (4, 4, 900)


def test_a_grid_study_has_its_own_row_whole(finished: Findings) -> None:
    own = tuple(one for one in finished.study.trials if one.family == "mlp")
    grids = {"mlp": replace(finished.grids["mlp"], study="blood", trials=own)}
    before, after = (
        table(cost.section(found), "stages").records()[0]
        for found in (replace(finished, grids={}), replace(finished, grids=grids))
    )
    assert before == after


def test_pruning_saved_what_the_view_says(searched: Findings) -> None:
    shown = table(cost.section(searched), "pruning").records()
    assert [row["family"] for row in shown] == ["mlp", "cnn"]
    for row in shown:
        assert row["epochs, complete"] == 18 * 45
        assert row["epochs, pruned"] == 8 * 15
        assert row["saved"] == 8 * 30
        assert row["saved, %"] == pytest.approx(100 * 240 / (810 + 120 + 240))
        assert row["computing time saved"] == pytest.approx(8 * 30 * 17.0 / 15)


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (0, "what has been tried is not proposed again."),
        (1, "1 sample was discarded"),
        (13, "13 samples were discarded"),
    ],
)
def test_repeats_that_were_avoided_are_counted(
    searched: Findings, count: int, sentence: str
) -> None:
    section = cost.section(replace(searched, repeats_avoided=count))
    assert sentence in text_of(section)
    assert section.facts["repeats_avoided"] == count


def test_retries_are_named(searched: Findings) -> None:
    again = replace(searched.study.trials[0], number=60, retry_of=0, attempt=2)
    study = study_of(trials=(*searched.study.trials, again))
    assert "1 trial took over" in text_of(cost.section(replace(searched, study=study)))


def test_a_study_that_has_not_begun_has_cost_nothing(begun: Findings) -> None:
    assert not cost.section(begun).blocks
