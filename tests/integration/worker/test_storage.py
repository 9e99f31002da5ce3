"""Claims, endings and retries: all of it or nothing, and only by whoever holds the trial."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.artifacts import download_artifact, get_all_artifact_meta
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.trial import TrialState
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from blood_hpo.dashboard.server import DatabaseArtefacts
from blood_hpo.database.record import TrialRecord, read_trial, read_trials
from blood_hpo.errors import StudyError
from blood_hpo.settings import Settings
from blood_hpo.store.new_study import create_study
from blood_hpo.store.results import Ending, Results
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy, delete_study, open_study
from blood_hpo.training.fold_result import FoldResult
from blood_hpo.worker.claims import Busy, Claims, Finished
from blood_hpo.worker.janitor import recover_stale_trials

from ...waiting import until
from .conftest import MakeStudy, beat, small_spec, source

STOP = threading.Event().wait


@pytest.fixture
def study(make_study: MakeStudy) -> SharedStudy:
    return make_study()


@pytest.fixture
def claim(study: SharedStudy) -> TrialRecord:
    found = Claims(study, "holder").claim(STOP)
    assert isinstance(found, TrialRecord)
    return found


def silence(study: SharedStudy, claim: TrialRecord, seconds: float) -> None:
    """Make the last heartbeat, and the start of this process, look that old."""
    study.storage._unreachable_at -= seconds
    aged = text(
        "UPDATE hpo.attempt SET heartbeat_at = heartbeat_at - make_interval(secs => :s)"
        " WHERE trial_id = :id"
    )
    with study.storage.engine.begin() as connection:
        connection.execute(aged, {"s": seconds, "id": claim.trial_id})


def test_a_trial_is_born_with_configuration_holder_and_heartbeat(
    study: SharedStudy, claim: TrialRecord
) -> None:
    trial = study.storage.get_trial(claim.trial_id)
    assert trial.state == TrialState.RUNNING
    assert trial.user_attrs["worker"] == "holder"
    assert trial.params == {"model": claim.family, **claim.params}
    assert beat(study.storage, claim.trial_id, "holder")


def test_a_claim_that_fails_leaves_nothing_behind(study: SharedStudy) -> None:
    candidate = {
        "rank": 0,
        "config_hash": "0" * 16,
        "seed": 1,
        "config": {},
        "params": {},
        "repeats_avoided": 0,
    }
    key = {"study_id": study.study_id, "family": "mlp"}
    wanted = {**key, "candidates": json.dumps([candidate])}
    bad = [{"name": "units", "value": "no number", "distribution": "{}"}]
    with study.storage.plain() as connection, pytest.raises(DataError):
        study.storage.create_trial(connection, "holder", "new_configuration", wanted, lambda _: bad)
    assert study.storage.get_all_trials(study.study_id) == []
    with study.storage.plain() as connection:
        assert connection.scalar(text("SELECT count(*) FROM hpo.configuration")) == 0


def test_only_the_holder_beats_and_ends(study: SharedStudy, claim: TrialRecord) -> None:
    assert not beat(study.storage, claim.trial_id, "stranger")
    assert not study.storage.end(claim.trial_id, "stranger", TrialState.COMPLETE, Ending(0.1))
    results = Results([FoldResult(0.9, 1, 1, [0.5], [0.8], [0.9])], 1.0, 302_216)
    assert study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, Ending(0.9, results))
    trial = study.storage.get_trial(claim.trial_id)
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.9)
    assert (trial.user_attrs["seconds"], trial.user_attrs["fold_scores"]) == (1.0, [0.9])
    with study.storage.plain() as connection:
        found = read_trial(connection, "small", claim.number)
    assert found is not None
    assert (found.score, found.epochs, found.parameter_count) == (0.9, 1, 302_216)
    assert found.fold_scores == [0.9]


def test_mean_curves_are_over_the_folds_that_were_trained_in_an_epoch(
    study: SharedStudy, claim: TrialRecord
) -> None:
    longer = FoldResult(0.9, 2, 1, [0.5, 0.4], [0.8, 0.75], [0.9, 0.85])
    shorter = FoldResult(0.5, 1, 1, [0.25], [0.25], [0.5])
    ending = Ending(0.7, Results([longer, shorter], 1.0, 1000))
    assert study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, ending)
    asked = "SELECT folds, train_loss, validation, score FROM hpo.mean_curves ORDER BY epoch"
    with study.storage.plain() as connection:
        found = connection.execute(text(asked)).all()
    assert [tuple(row) for row in found] == [(2, 0.375, 0.525, 0.7), (1, 0.4, 0.75, 0.85)]


def test_an_ending_told_twice_counts_once(study: SharedStudy, claim: TrialRecord) -> None:
    for _ in range(2):
        assert study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, Ending(0.9))
    assert not study.storage.end(claim.trial_id, "holder", TrialState.PRUNED, Ending(0.1))
    assert study.storage.get_trial(claim.trial_id).value == 0.9


def test_the_best_of_a_family_are_known_before_they_end(make_study: MakeStudy) -> None:
    study = make_study(families={"mlp": {"budget": 9, "space": {"units": [32, 64, 128]}}})
    found = []
    for value in (0.5, 0.7, 0.6, 0.4, 0.7, 0.7):
        claim = Claims(study, "holder").claim(STOP)
        assert isinstance(claim, TrialRecord)
        found.append(study.storage.among_best(claim.trial_id, value, 2))
        study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, Ending(value))
    # 0.6 was the second best when it ended; an equal of both of the best is none of them.
    assert found == [True, True, True, False, True, False]


def test_pruned_trials_and_other_families_displace_nobody(study: SharedStudy) -> None:
    first = Claims(study, "holder").claim(STOP)
    second = Claims(study, "peer").claim(STOP)
    third = Claims(study, "third").claim(STOP)
    assert isinstance(first, TrialRecord)
    assert isinstance(second, TrialRecord)
    assert isinstance(third, TrialRecord)
    assert first.family == third.family != second.family
    study.storage.end(first.trial_id, "holder", TrialState.PRUNED, Ending(0.9))
    study.storage.end(second.trial_id, "peer", TrialState.COMPLETE, Ending(0.9))
    assert study.storage.among_best(third.trial_id, 0.1, 1)


def test_files_are_artifacts_to_optuna(
    study: SharedStudy, claim: TrialRecord, tmp_path: Path
) -> None:
    files = {"curves.svg": b"<svg/>", "model.keras": b"weights" * 100_000}
    stored = {name: study.storage.store(study.study_id, one) for name, one in files.items()}
    study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, Ending(0.9), stored)
    trial = study.storage.get_trial(claim.trial_id)
    found = get_all_artifact_meta(trial, storage=study.storage)
    kinds = {one.filename: one.mimetype for one in found}
    assert kinds == {"curves.svg": "image/svg+xml", "model.keras": "application/octet-stream"}
    store: Any = DatabaseArtefacts(study.storage.engine)  # which only reads
    for one in found:
        path = tmp_path / one.filename
        download_artifact(artifact_store=store, artifact_id=one.artifact_id, file_path=str(path))
        assert path.read_bytes() == files[one.filename]
    with pytest.raises(ArtifactNotFound):
        store.open_reader("0" * 64)


def test_a_drained_trial_is_the_next_one_claimed(study: SharedStudy, claim: TrialRecord) -> None:
    assert study.storage.put_back(claim.trial_id, "holder")
    assert not study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, Ending(0.9))
    again = Claims(study, "peer").claim(STOP)
    assert isinstance(again, TrialRecord)
    assert (again.trial_id, again.attempt) == (claim.trial_id, 1)
    assert not study.storage.put_back(claim.trial_id, "holder")


def test_a_silent_trial_is_retried_once_and_linked_to_its_origin(
    study: SharedStudy, claim: TrialRecord
) -> None:
    silence(study, claim, 0.5)
    storages = [StudyStorage(study.storage.url, f"janitor-{n}") for n in range(4)]
    for storage in storages:
        storage._unreachable_at -= 1.0
    janitors = [
        threading.Thread(
            target=recover_stale_trials,
            args=(storage, study.study_id, Settings(grace_seconds=0.2, max_attempts=3)),
        )
        for storage in storages
    ]
    for janitor in janitors:
        janitor.start()
    for janitor in janitors:
        janitor.join()
    first, second = study.storage.get_all_trials(study.study_id)
    assert first.state == TrialState.FAIL
    assert "holder was not heard of" in first.user_attrs["reason"]
    assert second.state == TrialState.WAITING
    assert second.params == first.params
    assert second.user_attrs["attempt"] == 2
    with study.storage.plain() as connection:
        retry = read_trial(connection, "small", second.number)
    assert retry is not None
    assert (retry.attempt, retry.retry_of) == (2, first.number)
    assert retry.config_hash == claim.config_hash
    assert not beat(study.storage, claim.trial_id, "holder")
    assert not study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, Ending(0.9))


def test_what_came_after_the_last_heartbeat_of_a_lost_trial_was_no_computing_time(
    study: SharedStudy, claim: TrialRecord
) -> None:
    silence(study, claim, 3600)
    assert recover(study, attempts=3, grace=0.2) == [claim.number]
    first, _ = study.storage.get_all_trials(study.study_id)
    assert first.datetime_start is not None
    assert first.datetime_complete is not None
    assert 3500 < (first.datetime_start - first.datetime_complete).total_seconds() < 3700


def test_a_trial_that_goes_on_is_read_once_and_counts_as_running(
    study: SharedStudy, claim: TrialRecord
) -> None:
    def states(newest: int) -> list[str]:
        looked = {"study_id": study.study_id, "newest": newest, "unfinished": [claim.number]}
        return [row.state for row in study.storage.ask("history", **looked)]

    assert states(-1) == ["RUNNING"]
    assert study.storage.put_back(claim.trial_id, "holder")
    assert states(-1) == ["RUNNING"]  # Optuna's samplers pass over what waits
    assert states(claim.number) == []
    assert Claims(study, "peer").claim(STOP) != Busy()
    study.storage.end(claim.trial_id, "peer", TrialState.COMPLETE, Ending(0.9))
    assert states(claim.number) == ["COMPLETE"]


def test_a_trial_that_is_heard_of_is_left_alone(study: SharedStudy, claim: TrialRecord) -> None:
    silence(study, claim, 3600)
    assert beat(study.storage, claim.trial_id, "holder")
    assert recover(study, attempts=3, grace=60) == []


def test_silence_before_the_server_started_does_not_count(
    study: SharedStudy, claim: TrialRecord
) -> None:
    silence(study, claim, 24 * 3600)
    assert recover(study, attempts=3, grace=12 * 3600) == []


def test_a_worker_counts_as_dead_by_its_own_grace_time_if_that_is_longer(
    study: SharedStudy, claim: TrialRecord
) -> None:
    slow = {"worker": "holder", "program": "p", "processor": "c", "grace_seconds": 600.0}
    study.storage.tell("meet", **slow)
    silence(study, claim, 60.0)
    assert recover(study, attempts=3, grace=0.2) == []
    study.storage.tell("meet", **slow | {"grace_seconds": 0.1})
    assert recover(study, attempts=3, grace=0.2) == [claim.number]


def test_the_last_attempt_fails_for_good(study: SharedStudy, claim: TrialRecord) -> None:
    silence(study, claim, 0.5)
    assert recover(study, attempts=1, grace=0.2) == [claim.number]
    (trial,) = study.storage.get_all_trials(study.study_id)
    assert trial.state == TrialState.FAIL
    with study.storage.plain() as connection:
        found = read_trial(connection, "small", trial.number)
    assert found is not None
    assert (found.failure, found.in_force) == ("lost", False)


def recover(study: SharedStudy, *, attempts: int, grace: float) -> list[int]:
    settings = Settings(grace_seconds=grace, max_attempts=attempts)
    return recover_stale_trials(study.storage, study.study_id, settings)


def test_failures_in_a_row_are_counted_from_the_latest(study: SharedStudy) -> None:
    claims = Claims(study, "holder")
    kinds = ["error", "complete", "error", "lost", "error"]
    for kind in kinds:
        claim = claims.claim(STOP)
        assert isinstance(claim, TrialRecord)
        if kind == "complete":
            study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, Ending(0.5))
        else:
            lost = kind == "lost"
            assert study.storage.fail(
                study.study_id,
                claim.trial_id,
                f"{kind} {claim.number}",
                worker="holder",
                retry=lost,
                grace_seconds=0.0 if lost else None,
            )
    assert isinstance(claim, TrialRecord)
    assert study.storage.failures_in_a_row(study.study_id) == (2, f"error {claim.number}")


def test_the_same_file_opens_the_same_study(study: SharedStudy) -> None:
    again = create_study(study.storage, small_spec(), source())
    assert again.study_id == study.study_id


def test_a_changed_file_is_refused_with_the_difference(study: SharedStudy) -> None:
    with pytest.raises(StudyError, match=r"training\.epochs: 50 -> 60"):
        create_study(study.storage, small_spec(training={"epochs": 60}), source())


def test_another_data_set_is_refused(study: SharedStudy) -> None:
    with pytest.raises(StudyError, match=r"aaaaaaaaaaaa.*bbbbbbbbbbbb"):
        create_study(study.storage, small_spec(), source("b"))


def test_a_budget_can_be_raised(study: SharedStudy) -> None:
    larger = create_study(study.storage, small_spec().with_budgets({"mlp": 9}), source())
    assert larger.spec.budgets == {"mlp": 9, "cnn": 6}
    assert open_study(study.storage, "small").spec.budgets["mlp"] == 9


def test_an_unknown_study_is_one_line(storage: StudyStorage) -> None:
    with pytest.raises(StudyError, match="there is no study 'nothing'"):
        open_study(storage, "nothing")


def test_a_trial_that_is_being_taken_over_is_not_resumed_by_its_last_holder(
    study: SharedStudy, claim: TrialRecord
) -> None:
    with study.storage.engine.begin() as janitor:
        taken = text("SELECT * FROM trials WHERE trial_id = :id FOR UPDATE")
        janitor.execute(taken, {"id": claim.trial_id})
        second = Claims(study, "holder").claim(STOP)
    assert isinstance(second, TrialRecord)
    assert second.trial_id != claim.trial_id


def test_a_process_that_has_just_started_judges_nobody(
    study: SharedStudy, claim: TrialRecord
) -> None:
    aged = text("UPDATE hpo.attempt SET heartbeat_at = '2000-01-01' WHERE trial_id = :id")
    with study.storage.engine.begin() as connection:
        connection.execute(aged, {"id": claim.trial_id})
    newcomer = StudyStorage(study.storage.url, "newcomer")
    patient = Settings(grace_seconds=86400.0)
    assert recover_stale_trials(newcomer, study.study_id, patient) == []
    newcomer._unreachable_at -= 86400.0
    # The server has not been up for that long either: its silence excuses the worker.
    assert recover_stale_trials(newcomer, study.study_id, patient) == []
    hasty = Settings(grace_seconds=0.01)
    assert recover_stale_trials(newcomer, study.study_id, hasty) == [claim.number]


def test_while_the_server_takes_no_writes_nobody_can_be_heard(study: SharedStudy) -> None:
    storage = StudyStorage(study.storage.url, "reader")
    storage._unreachable_at -= 100.0
    wrong = "INSERT INTO hpo.worker (worker) VALUES ('x')"
    with pytest.raises(IntegrityError), storage.engine.begin() as connection:
        connection.exec_driver_sql(wrong)
    assert storage.reachable_seconds() > 100.0
    with storage.engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        with pytest.raises(DBAPIError, match="read-only"):
            connection.exec_driver_sql(wrong)
    assert storage.reachable_seconds() < 100.0
    storage.engine.dispose()


def test_a_report_beside_the_failing_of_its_trial_learns_that_it_is_lost(
    study: SharedStudy, claim: TrialRecord
) -> None:
    storage = StudyStorage(study.storage.url, "late")
    waits = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'late' AND wait_event_type = 'Lock'"
    )
    end = text("UPDATE hpo.attempt SET open = false, failure = 'lost' WHERE trial_id = :id")
    failed = text("UPDATE public.trials SET state = 'FAIL' WHERE trial_id = :id")
    with ThreadPoolExecutor(1) as pool, study.storage.engine.connect() as looker:
        with study.storage.engine.begin() as peer:
            peer.execute(failed, {"id": claim.trial_id})
            peer.execute(end, {"id": claim.trial_id})
            told = pool.submit(storage.report, claim.trial_id, "holder", {1: 0.5})
            until(lambda: looker.scalar(waits) == 1, "it waits")
        assert told.result(20) is False
    storage.engine.dispose()


def test_an_idle_connection_that_died_is_no_outage(study: SharedStudy) -> None:
    storage = StudyStorage(study.storage.url, "idle")
    storage._unreachable_at -= 100.0
    end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = "
    with study.storage.engine.begin() as connection:
        ended = connection.scalars(text(f"{end} 'idle'")).all()
    assert ended
    assert all(ended)
    assert storage.ask("stale", study_id=study.study_id, grace_seconds=60.0) == []
    assert storage.reachable_seconds() > 100.0
    storage.engine.dispose()


def test_a_budget_below_what_is_done_is_refused(study: SharedStudy, claim: TrialRecord) -> None:
    study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, Ending(0.5))
    for worker in ("one", "two", "three"):
        Claims(study, worker).claim(STOP)
    lower = small_spec().with_budgets({"mlp": 1, "cnn": 1})
    with pytest.raises(StudyError, match=r"2 mlp trials done, in training .* at least 2"):
        create_study(study.storage, lower, source())
    assert open_study(study.storage, "small").spec.budgets == {"mlp": 6, "cnn": 6}
    create_study(study.storage, small_spec().with_budgets({"mlp": 2, "cnn": 2}), source())
    assert isinstance(Claims(study, "four").claim(STOP), Busy)


def test_trials_of_other_programs_are_left_alone(study: SharedStudy) -> None:
    stranger = optuna.load_study(study_name="small", storage=study.storage)
    stranger.ask()
    stranger.enqueue_trial({"x": 1}, user_attrs={"seconds": "3.2 s", "reason": "a\nb"})
    claims = Claims(study, "one")
    while isinstance(found := claims.claim(STOP), TrialRecord):
        study.storage.end(found.trial_id, "one", TrialState.COMPLETE, Ending(0.5))
    assert found == Finished()
    with study.storage.plain() as connection:
        assert len(read_trials(connection, "small")) == 12


def test_a_reason_is_printable(study: SharedStudy, claim: TrialRecord) -> None:
    study.storage.fail(study.study_id, claim.trial_id, "a\0b\nc", worker="holder", retry=False)
    with study.storage.plain() as connection:
        found = read_trial(connection, "small", claim.number)
    assert found is not None
    assert found.reason == "a\\x00b\\nc"


def test_a_study_that_a_worker_adds_to_is_not_said_to_be_deleted(
    study: SharedStudy, claim: TrialRecord, database_url: str
) -> None:
    adds = text("INSERT INTO trial_intermediate_values VALUES (99, :id, 1, 0.5, 'FINITE')")
    blocked = text(
        "SELECT 1 FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with ThreadPoolExecutor(1) as pool, study.storage.engine.connect() as worker:
        worker.execute(adds, {"id": claim.trial_id})
        deletion = pool.submit(delete_study, StudyStorage(database_url, "test"), study.name)
        until(lambda: worker.scalar(blocked), "the deletion waits")
        worker.commit()
        with pytest.raises(StudyError, match="is in use"):
            deletion.result(20)
    assert beat(study.storage, claim.trial_id, "holder")
