"""The note of a study: what an onlooker reads, written seldom and by one at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from optuna.study import Study, load_study
from optuna.trial import TrialState
from optuna_dashboard import get_note, save_note
from sqlalchemy import event, text
from typer.testing import CliRunner

from blood_hpo.cli.main import app
from blood_hpo.dashboard.notes import refresh_note
from blood_hpo.database.record import TrialRecord
from blood_hpo.database.statements import statement
from blood_hpo.store.exchange import export_study
from blood_hpo.store.results import Ending, Results
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy
from blood_hpo.training.fold_result import FoldResult
from blood_hpo.worker.claims import Claims

from ...waiting import until
from .conftest import MakeStudy

STOP = threading.Event().wait


@pytest.fixture
def study(make_study: MakeStudy) -> SharedStudy:
    found = make_study(description="a small search | with <b>a bar</b> and [a link](http://x)")
    refresh_note(found.storage, found.study_id, least_seconds=0)  # as whoever creates one does
    return found


def read(study: SharedStudy) -> str:
    """The note as optuna-dashboard reads it."""
    note: str = get_note(Study(study.name, study.storage))
    return note


def version(study: SharedStudy) -> int:
    return int(study.storage.get_study_system_attrs(study.study_id)["dashboard:note_ver"])


def finish(
    study: SharedStudy, value: float, state: TrialState = TrialState.COMPLETE
) -> TrialRecord:
    claim = Claims(study, "holder").claim(STOP)
    assert isinstance(claim, TrialRecord)
    scores = [value - 0.01, value, value + 0.01]
    folds = [FoldResult(score, 1, 1, [0.5], [score], [score]) for score in scores]
    known = Results(folds, 60.0, 302_216)
    assert study.storage.end(claim.trial_id, "holder", state, Ending(value, known))
    return claim


def test_a_new_study_says_what_it_is_for(study: SharedStudy) -> None:
    found = read(study)
    assert "# small" in found
    assert r"search \| with \<b\>a bar\</b\> and \[a link\](http://x)" in found
    assert "mean accuracy over 3 held-out folds" in found
    assert "a" * 64 in found
    assert "SYNTHETIC" in found
    assert "| mlp | 0 of 6 |" in found
    assert "Waiting for workers" in found
    assert "blood-hpo report small" in found


def test_it_shows_the_best_trials_of_each_family(study: SharedStudy) -> None:
    for number in range(4):
        claim = finish(study, 0.8 + number / 100)
    refresh_note(study.storage, study.study_id, least_seconds=0)
    found = read(study)
    assert f"[{claim.number}](/dashboard/studies/{study.study_id}/trials?numbers=3)" in found
    assert "| 0.8300 ± 0.0100 | 302,216 | 60 |" in found
    assert "## Best of mlp" in found
    assert "## Best of cnn" in found


def test_it_is_left_alone_for_a_while_and_where_nothing_has_changed(study: SharedStudy) -> None:
    assert version(study) == 1
    finish(study, 0.8)
    refresh_note(study.storage, study.study_id)
    assert version(study) == 1  # looked after when the study was created
    refresh_note(study.storage, study.study_id, least_seconds=0)
    assert version(study) == 2
    refresh_note(study.storage, study.study_id, least_seconds=0)
    assert version(study) == 2


@pytest.mark.parametrize(("seconds", "then"), [(50, 1), (70, 2)])
def test_it_is_looked_after_at_most_once_a_minute(
    study: SharedStudy, seconds: int, then: int
) -> None:
    finish(study, 0.8)
    with study.storage.engine.begin() as session:
        ago = text("UPDATE hpo.study SET noted_at = clock_timestamp() - make_interval(secs => :s)")
        session.execute(ago, {"s": seconds})
    refresh_note(study.storage, study.study_id)
    assert version(study) == then


def test_of_many_who_find_it_old_one_writes(study: SharedStudy) -> None:
    finish(study, 0.8)
    with study.storage.engine.begin() as session:
        session.execute(text("UPDATE hpo.study SET noted_at = '2020-01-01'"))
    peers = [StudyStorage(study.storage.url, f"peer-{number}") for number in range(6)]
    asked: list[str] = []
    for peer in peers:
        event.listen(
            peer.engine,
            "before_cursor_execute",
            lambda _connection, _cursor, sql, *_: asked.append(sql),
        )
    threads = [threading.Thread(target=refresh_note, args=(peer, study.study_id)) for peer in peers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([sql for sql in asked if "dashboard:note_str" in sql]) == 1
    assert version(study) == 2
    for peer in peers:
        peer.engine.dispose()


@pytest.mark.usefixtures("named_database")
def test_pausing_and_resuming_shows_at_once(study: SharedStudy) -> None:
    run = CliRunner().invoke
    assert run(app, ["study", "pause", "small", "--reason", "disk is full"]).exit_code == 0
    assert "**Paused: disk is full**" in read(study)
    assert run(app, ["study", "resume", "small"]).exit_code == 0
    assert "disk is full" not in read(study)


def test_a_note_in_the_making_holds_up_nobody_and_gives_way_to_a_newer_one(
    study: SharedStudy,
) -> None:
    storage = StudyStorage(study.storage.url, "slow")
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with ThreadPoolExecutor(1) as pool, study.storage.engine.begin() as holding:
        holding.execute(text("LOCK TABLE hpo.result"))
        slow = pool.submit(refresh_note, storage, study.study_id, 0)
        with study.storage.plain() as connection:
            until(lambda: connection.scalar(text(waiting)), "the note waits")
            connection.execute(text("SET lock_timeout = '1s'"))
            pausing = {"study_id": study.study_id, "reason": "lunch", "overrule": True}
            connection.execute(statement("pause"), pausing)
            newer = connection.execute(text("UPDATE hpo.study SET noted_at = clock_timestamp()"))
            assert newer.rowcount == 1
        holding.rollback()
        slow.result(20)
    assert "lunch" not in read(study)
    storage.engine.dispose()


def test_a_longer_note_that_somebody_left_leaves_no_rest(study: SharedStudy) -> None:
    save_note(Study(study.name, study.storage), "x" * 5000)
    refresh_note(study.storage, study.study_id, least_seconds=0)
    assert "x" * 10 not in read(study)
    assert read(study).startswith("# small")


def test_the_links_of_an_exported_note_lead_to_the_study_where_it_is_now(
    make_study: MakeStudy, tmp_path: Path
) -> None:
    make_study(name="first")
    study = make_study()
    save_note(Study(study.name, study.storage), f"[1](/studies/{study.study_id}/trials)")
    export_study(study.storage, "small", f"{tmp_path}/small.db")
    there = load_study(study_name="small", storage=f"sqlite:///{tmp_path}/small.db")
    assert there._study_id != study.study_id
    assert get_note(there) == f"[1](/studies/{there._study_id}/trials)"


def test_what_is_in_its_way_stops_nobody(
    study: SharedStudy, caplog: pytest.LogCaptureFixture
) -> None:
    with study.storage.engine.begin() as connection:
        connection.execute(text("DROP VIEW hpo.confirmations, hpo.progress CASCADE"))
    refresh_note(study.storage, study.study_id, least_seconds=0)
    assert "not renewed" in caplog.text
    study.storage.delete_study(study.study_id)
    refresh_note(study.storage, study.study_id)
