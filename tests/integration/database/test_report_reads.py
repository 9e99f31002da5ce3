"""The report's numbers are those of the views, and what the database holds is not trusted."""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from blood_hpo.cli.commands.report import write_page
from blood_hpo.database.address import engine
from blood_hpo.errors import BloodHpoError, StudyError
from blood_hpo.report.page.document import Section
from blood_hpo.report.process import confirmation_section as confirmation
from blood_hpo.report.process import cost_section as cost
from blood_hpo.report.process import search_section as search
from blood_hpo.report.read import findings
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.search_study import read_study, searched
from blood_hpo.store.pieces import link, store

from ..conftest import copy_of, fill_synthetic
from .conftest import unguarded

LAYERS = (
    '[{"name": "pixels", "kind": "InputLayer", "output_shape": [28, 28, 3], "parameters": 0,'
    ' "inputs": []}]'
)


def predictions() -> bytes:
    """Of 16 images, one of which is misclassified."""
    labels = np.arange(16, dtype=np.uint8) % 8
    probabilities = np.full((16, 8), 0.05, np.float32)
    probabilities[np.arange(16), labels] = 0.65
    probabilities[3] = np.roll(probabilities[3], 1)
    file = io.BytesIO()
    np.savez_compressed(
        file,
        test_labels=labels,
        test_probabilities=probabilities,
        test_averaged=probabilities[:0],
        misclassified_images=np.zeros((1, 28, 28, 3), np.uint8),
        duplicates=np.empty((0, 5), np.int64),
    )
    return file.getvalue()


@pytest.fixture(scope="module")
def connected(server: Engine, migrated: str) -> Iterator[Engine]:
    """A database with a SYNTHETIC study and the files of its models."""
    with copy_of(migrated, server) as url:
        fill_synthetic(url, trials=18, name="made")
        found = engine(url)
        _finish(found)
        yield found
        found.dispose()


def _finish(found: Engine) -> None:
    files = {
        "predictions.npz": predictions(),
        "model.keras": b"m",
        "model.md": b"c",
        "medmnist.csv": b"0",
    }
    with unguarded(found) as connection:
        connection.execute(
            text(
                "UPDATE hpo.tested_model SET architecture = CAST(:layers AS jsonb),"
                " file = 'made-' || trial_id || '.keras',"
                " medmnist_file = 'medmnist-' || trial_id || '.csv', sha256 = :digest"
            ),
            {"layers": LAYERS, "digest": hashlib.sha256(files["model.keras"]).hexdigest()},
        )
    with found.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        rows = connection.execute(
            text(
                "SELECT study_id, number, trial_id FROM hpo.attempt"
                " JOIN hpo.tested_model USING (trial_id)"
            )
        ).all()
        for row in rows:
            for name, content in files.items():
                digest = store(connection, row.study_id, content)
                link(connection, row.study_id, row.trial_id, f"{row.number}/{name}", digest)


def rows(connected: Engine, sql: str) -> list[dict[str, Any]]:
    with connected.connect() as connection:
        return [dict(row) for row in connection.execute(text(sql)).mappings()]


@pytest.mark.parametrize(
    "wrong",
    [
        *("candidate SET search_score = 'inf'", "candidate SET mean = 'NaN'"),
        *("candidate SET p_value = '-inf'", "candidate SET scores = '{{0.9,0.8},{0.7,NaN}}'"),
        *("tested_model SET test_accuracy = 'NaN'", "tested_model SET averaged_accuracy = 'inf'"),
        *("tested_model SET class_weights = '{1,-inf}'", "mistake SET confidence = 'NaN'"),
        "test_interval SET high = 'inf'",
    ],
)
def test_what_the_stages_after_a_search_measured_is_finite(connected: Engine, wrong: str) -> None:
    with unguarded(connected) as connection, pytest.raises(DBAPIError, match="_is_finite"):
        connection.exec_driver_sql(f"UPDATE hpo.{wrong}")


@pytest.fixture(scope="module")
def found(connected: Engine) -> Findings:
    return findings.read(connected, "made")


def test_a_report_shows_one_moment_of_a_study_that_goes_on(connected: Engine) -> None:
    """A trial gets another score while the report is read: its rank and its score still agree."""
    worst = """
        WITH worst AS (SELECT trial_id, value FROM public.trial_values JOIN hpo.trials
            USING (trial_id) WHERE study = 'made' AND state = 'COMPLETE' ORDER BY value LIMIT 1)
        UPDATE public.trial_values AS told SET value = coalesce(:to, 0.9999) FROM worst
        WHERE told.trial_id = worst.trial_id RETURNING worst.value, told.trial_id"""
    changed: list[Any] = []

    def meanwhile(*asked: Any) -> None:
        if "hpo.leaderboard" in asked[2] and not changed:
            with unguarded(other) as connection:
                changed.append(connection.execute(text(worst), {"to": None}).one())

    other, reading = engine(str(connected.url)), engine(str(connected.url))
    event.listen(reading, "before_cursor_execute", meanwhile)
    places = findings.read(reading, "made").study.places
    (before,) = changed
    with unguarded(other) as connection:
        back = text("UPDATE public.trial_values SET value = :value WHERE trial_id = :trial_id")
        connection.execute(back, before._asdict())
    for one in (other, reading):
        one.dispose()
    for board in places.values():
        scores = [place.trial.score or 0 for place in board]
        assert scores == sorted(scores, reverse=True)


def records(section: Section, name: str) -> list[dict[str, Any]]:
    return next(table for table in section.tables if table.name == name).records()


def test_what_pruning_saved_and_what_stages_cost_is_what_the_views_say(
    connected: Engine, found: Findings
) -> None:
    pruning = {
        row["family"]: row
        for row in rows(
            connected,
            "SELECT family, count(*) AS trials, sum(epochs) AS epochs,"
            " sum(saved_epochs) AS saved, sum(saved_seconds) AS seconds"
            " FROM hpo.pruning WHERE study = 'made' GROUP BY family",
        )
    }
    section = cost.section(found)
    assert {row["family"] for row in records(section, "pruning")} == set(found.study.families)
    for row in records(section, "pruning"):
        view = pruning.get(
            row["family"], dict.fromkeys(("trials", "epochs", "saved", "seconds"), 0)
        )
        assert row["pruned trials"] == view["trials"]
        assert row["epochs, pruned"] == view["epochs"]
        assert row["saved"] == pytest.approx(view["saved"])
        assert row["computing time saved"] == pytest.approx(view["seconds"])
    assert sum(row["trials"] for row in pruning.values()) > 0
    stages = {row["stage"]: row for row in records(section, "stages")}
    names = {"made": "search", "made-confirm": "confirmation", "made-final": "retraining and test"}
    for row in rows(
        connected,
        "SELECT study, sum(trials) AS trials, sum(epochs) AS epochs, sum(seconds) AS seconds"
        " FROM hpo.cost WHERE state NOT IN ('RUNNING', 'WAITING') GROUP BY study",
    ):
        shown = stages[names[row["study"]]]
        assert (shown["trials"], shown["epochs"]) == (row["trials"], row["epochs"])
        assert shown["computing time"] == pytest.approx(row["seconds"])
    (avoided,) = rows(
        connected,
        "SELECT sum(repeats_avoided) AS repeats FROM hpo.trials"
        " WHERE study = 'made' AND attempt = 1",
    )
    assert section.facts["repeats_avoided"] == avoided["repeats"] > 0


def test_the_leaderboard_and_the_progress_are_the_views(connected: Engine, found: Findings) -> None:
    section = search.section(found)
    for family in found.study.families:
        board = rows(
            connected,
            "SELECT number, score, rank, sd FROM hpo.leaderboard WHERE study = 'made'"
            f" AND family = '{family}' ORDER BY rank, number",
        )
        shown = [row for row in records(section, "leaderboard") if row["group"].lower() == family]
        assert len(shown) == min(5, len(board))
        board = board[: len(shown)]
        assert [row["trial"] for row in shown] == [row["number"] for row in board]
        assert [row["sd of folds"] for row in shown] == [row["sd"] for row in board]
    progress = {
        row["family"]: row
        for row in rows(connected, "SELECT * FROM hpo.progress")
        if row["study"] == "made"
    }
    for row in records(section, "budget"):
        view = progress[row["family"]]
        for name in ("budget", "complete", "pruned", "failed"):
            assert row[name] == view[name]
        assert row["unfinished"] == view["running"] + view["waiting"]
        assert row["computing time"] == pytest.approx(view["seconds"])


def test_confirmed_means_are_those_of_the_view(connected: Engine, found: Findings) -> None:
    view = rows(connected, "SELECT * FROM hpo.confirmations WHERE study = 'made'")
    shown = records(confirmation.section(found), "confirmation")
    key = {(row["number"], row["mean"], row["p_value"], row["separable"]) for row in view}
    assert {(row["trial"], row["mean"], row["p"], row["separable"]) for row in shown} == key


def test_models_are_those_of_the_plan_in_force(connected: Engine) -> None:
    with connected.begin() as connection:
        connection.execute(
            text(
                "UPDATE hpo.configuration SET place = NULL WHERE stage = 'final' AND replicate = 3"
            )
        )
    final = findings.read(connected, "made").final
    assert final
    assert {one.trial.replicate for one in final.models} == {1, 2}
    view = rows(connected, "SELECT sum(seeds) AS seeds FROM hpo.final_results")
    assert len(final.models) == view[0]["seeds"]
    (left,) = rows(
        connected, "SELECT sum(remaining) AS left FROM hpo.progress WHERE study = 'made-final'"
    )
    assert final.missing == left["left"]


def test_a_staged_grid_is_read_stage_by_stage(connected: Engine) -> None:
    """One stage over everything that the study searches compares all its complete trials."""
    space = searched(findings.read(connected, "made").study.spec, "mlp")
    staged = "jsonb_set(spec, '{sampler,name}', '\"staged_grid\"')"
    change = f"jsonb_set({staged}, '{{families,mlp,stages}}', CAST(:stages AS jsonb))"
    update = f"UPDATE hpo.study SET spec = {change} WHERE stage = 'search'"
    with connected.begin() as connection:
        before = connection.scalar(text("SELECT spec FROM hpo.studies WHERE study = 'made'"))
        connection.execute(text(update), {"stages": json.dumps([list(space)])})
    found = findings.read(connected, "made").staged
    with connected.begin() as connection:
        restore = text("UPDATE hpo.study SET spec = CAST(:spec AS jsonb) WHERE stage = 'search'")
        connection.execute(restore, {"spec": json.dumps(before)})
    board = rows(
        connected,
        "SELECT number FROM hpo.leaderboard WHERE study = 'made' AND family = 'mlp' ORDER BY rank",
    )
    assert found
    (stage,) = found.families["mlp"]
    assert {one.number for one in stage.trials} == {row["number"] for row in board}
    assert stage.best.number == board[0]["number"]
    assert findings.read(connected, "made").staged is None


def test_a_name_that_would_lie_elsewhere_is_one_line_and_writes_nothing(
    connected: Engine, tmp_path: Path
) -> None:
    renamed = "UPDATE hpo.tested_model SET file = '{}' || trial_id || '.keras'"
    with unguarded(connected) as connection:
        connection.execute(text(renamed.format("../../../elsewhere-")))
    with pytest.raises(BloodHpoError, match="which no worker does") as raised:
        write_page(connected, "made", tmp_path / "inner/report")
    assert "\n" not in str(raised.value)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []
    with unguarded(connected) as connection:
        connection.execute(text(renamed.format("made-")))


BROKEN_SPECS = {
    "a training that is none": ("{training}", '{"folds": 3, "epochs": 5, "more": 1}'),
    "patience in words": ("{training,patience}", '"x"'),
    "an unknown sampler": ("{sampler,name}", '"annealing"'),
    "a sampler that is a number": ("{sampler}", "3"),
    "an unknown pruner": ("{pruner,name}", '"axe"'),
    "a percentile in words": ("{pruner,percentile}", '"a"'),
    "a space of one number": ("{families,mlp,space}", '{"units": 3}'),
    "half a range": ("{families,mlp,space}", '{"units": {"low": 1}}'),
    "no choice": ("{families,mlp,space}", '{"units": []}'),
    "stages that are none": ("{families,mlp,stages}", "3"),
    "a shared space that is none": ("{space}", "3"),
}
"""What a study file in the database may be changed to, past its constraint: place and value."""


@pytest.mark.parametrize("wrong", BROKEN_SPECS)
def test_a_damaged_study_file_is_one_line(connected: Engine, wrong: str) -> None:
    place, value = BROKEN_SPECS[wrong]
    with connected.connect() as connection:  # never committed
        connection.execute(
            text("UPDATE hpo.study SET spec = jsonb_set(spec, :place, cast(:value AS jsonb))"),
            {"place": place, "value": value},
        )
        with pytest.raises(StudyError, match="holds no study file of blood_hpo") as raised:
            read_study(connection, "made")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("params", ["{}", '{"units": null}', '{"zz": 1}'])
def test_trials_of_another_space_are_one_line(connected: Engine, params: str) -> None:
    with connected.connect() as connection:  # never committed
        connection.execute(text("UPDATE hpo.configuration SET params = :p"), {"p": params})
        with pytest.raises(StudyError, match="has other hyperparameters than the study searches"):
            read_study(connection, "made")


def test_a_stored_study_file_lacks_nothing_that_has_a_default(connected: Engine) -> None:
    with connected.connect() as connection:
        before = read_study(connection, "made").spec
        cut = "UPDATE hpo.study SET spec = spec - '{sampler,pruner,final,description}'"
        connection.execute(text(f"{cut}::text[]"))
        after = read_study(connection, "made").spec
    assert after.keys() == before.keys()
    assert after["pruner"]["name"] == "median"


def test_the_report_is_written(connected: Engine, tmp_path: Path) -> None:
    page = write_page(connected, "made", tmp_path / "report")
    assert "SYNTHETIC" in page.read_text()
    models = list((tmp_path / "report/models").glob("*.keras"))
    assert len(models) == len(rows(connected, "SELECT FROM hpo.models WHERE in_force"))
