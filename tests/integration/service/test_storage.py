"""Claims, endings and retries: all of it or nothing, and only by whoever holds the trial."""

import threading
import time
from io import BytesIO
from pathlib import Path

import pytest
from optuna.artifacts import download_artifact, get_all_artifact_meta
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.trial import TrialState
from sqlalchemy import text

from blood_hpo.errors import StudyError
from blood_hpo.service.artefacts import DatabaseArtefacts
from blood_hpo.service.budget import Claim, Claims
from blood_hpo.service.janitor import recover_stale_trials
from blood_hpo.service.storage import Failures, StudyStorage
from blood_hpo.service.studies import SharedStudy, create_study, open_study

from .conftest import MakeStudy, small_spec, source

STOP = threading.Event()


@pytest.fixture
def study(make_study: MakeStudy) -> SharedStudy:
    return make_study()


@pytest.fixture
def claim(study: SharedStudy) -> Claim:
    found = Claims(study, "holder").claim(STOP)
    assert isinstance(found, Claim)
    return found


def silence(study: SharedStudy, claim: Claim, seconds: float) -> None:
    """Make the last heartbeat, and the start of the server, look that old."""
    with study.storage.transaction() as session:
        session.execute(
            text(
                "update trial_heartbeats set heartbeat = heartbeat - make_interval(secs => :s)"
                " where trial_id = :id"
            ),
            {"s": seconds, "id": claim.trial_id},
        )


def test_a_trial_is_born_with_configuration_holder_and_heartbeat(
    study: SharedStudy, claim: Claim
) -> None:
    trial = study.storage.get_trial(claim.trial_id)
    assert trial.state == TrialState.RUNNING
    assert trial.user_attrs["worker"] == "holder"
    assert trial.params == {"model": claim.family, **claim.params}
    assert study.storage.beat(claim.trial_id, "holder")


def test_a_claim_that_fails_leaves_nothing_behind(study: SharedStudy) -> None:
    def refuse() -> None:
        raise RuntimeError("the proposer broke")

    with pytest.raises(RuntimeError):
        study.storage.claim(study.study_id, "holder", refuse)
    assert study.storage.get_all_trials(study.study_id) == []


def test_only_the_holder_beats_and_ends(study: SharedStudy, claim: Claim) -> None:
    assert not study.storage.beat(claim.trial_id, "stranger")
    assert not study.storage.end(claim.trial_id, "stranger", TrialState.COMPLETE, 0.1, {})
    assert study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, 0.9, {"seconds": 1.0})
    trial = study.storage.get_trial(claim.trial_id)
    assert (trial.state, trial.value, trial.user_attrs["seconds"]) == (
        TrialState.COMPLETE,
        0.9,
        1.0,
    )


def test_an_ending_told_twice_counts_once(study: SharedStudy, claim: Claim) -> None:
    for _ in range(2):
        assert study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, 0.9, {})
    assert not study.storage.end(claim.trial_id, "holder", TrialState.PRUNED, 0.1, {})
    assert study.storage.get_trial(claim.trial_id).value == 0.9


def test_the_best_of_a_family_are_known_before_they_end(make_study: MakeStudy) -> None:
    study = make_study(families={"mlp": {"budget": 9, "space": {"units": [32, 64, 128]}}})
    found = []
    for value in (0.5, 0.7, 0.6, 0.4, 0.7, 0.7):
        claim = Claims(study, "holder").claim(STOP)
        assert isinstance(claim, Claim)
        found.append(study.storage.among_best(claim.trial_id, value, 2))
        study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, value, {})
    # 0.6 was the second best when it ended; an equal of both of the best is none of them.
    assert found == [True, True, True, False, True, False]


def test_pruned_trials_and_other_families_displace_nobody(study: SharedStudy) -> None:
    first = Claims(study, "holder").claim(STOP)
    second = Claims(study, "peer").claim(STOP)
    third = Claims(study, "third").claim(STOP)
    assert isinstance(first, Claim)
    assert isinstance(second, Claim)
    assert isinstance(third, Claim)
    assert first.family == third.family != second.family
    study.storage.end(first.trial_id, "holder", TrialState.PRUNED, 0.9, {})
    study.storage.end(second.trial_id, "peer", TrialState.COMPLETE, 0.9, {})
    assert study.storage.among_best(third.trial_id, 0.1, 1)


def test_files_are_artifacts_to_optuna(study: SharedStudy, claim: Claim, tmp_path: Path) -> None:
    files = {"curves.svg": b"<svg/>", "model.keras": b"weights"}
    study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, 0.9, {}, files)
    trial = study.storage.get_trial(claim.trial_id)
    found = get_all_artifact_meta(trial, storage=study.storage)
    kinds = {one.filename: one.mimetype for one in found}
    assert kinds == {"curves.svg": "image/svg+xml", "model.keras": "application/octet-stream"}
    store = DatabaseArtefacts(study.storage.engine)
    for one in found:
        path = tmp_path / one.filename
        download_artifact(artifact_store=store, artifact_id=one.artifact_id, file_path=str(path))
        assert path.read_bytes() == files[one.filename]
    with pytest.raises(ArtifactNotFound):
        store.open_reader("0" * 64)
    with pytest.raises(StudyError, match="workers alone"):
        store.write("0" * 64, BytesIO(b""))
    with pytest.raises(StudyError, match="study delete"):
        store.remove(found[0].artifact_id)


def test_a_drained_trial_is_the_next_one_claimed(study: SharedStudy, claim: Claim) -> None:
    assert study.storage.put_back(claim.trial_id, "holder")
    assert not study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, 0.9, {})
    again = Claims(study, "peer").claim(STOP)
    assert isinstance(again, Claim)
    assert (again.trial_id, again.attempt) == (claim.trial_id, 1)
    assert not study.storage.put_back(claim.trial_id, "holder")


def test_a_silent_trial_is_retried_once_and_linked_to_its_origin(
    study: SharedStudy, claim: Claim
) -> None:
    silence(study, claim, 0.5)
    janitors = [
        threading.Thread(
            target=recover_stale_trials,
            args=(StudyStorage(study.storage.url, f"janitor-{n}"), study.study_id),
            kwargs={"grace_seconds": 0.2, "max_attempts": 3},
        )
        for n in range(4)
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
    assert second.system_attrs["failed_trial"] == first.number
    assert second.system_attrs["retry_history"] == [first.number]
    assert second.user_attrs["attempt"] == 2
    assert not study.storage.beat(claim.trial_id, "holder")
    assert not study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, 0.9, {})


def test_a_trial_that_is_heard_of_is_left_alone(study: SharedStudy, claim: Claim) -> None:
    silence(study, claim, 3600)
    assert study.storage.beat(claim.trial_id, "holder")
    assert recover(study, attempts=3, grace=60) == []


def test_silence_before_the_server_started_does_not_count(study: SharedStudy, claim: Claim) -> None:
    silence(study, claim, 24 * 3600)
    assert recover(study, attempts=3, grace=12 * 3600) == []


def test_the_last_attempt_fails_for_good(study: SharedStudy, claim: Claim) -> None:
    silence(study, claim, 0.5)
    assert recover(study, attempts=1, grace=0.2) == [claim.number]
    (trial,) = study.storage.get_all_trials(study.study_id)
    assert trial.state == TrialState.FAIL
    assert trial.user_attrs["final_failure"] is True


def recover(study: SharedStudy, *, attempts: int, grace: float) -> list[int]:
    return recover_stale_trials(
        study.storage, study.study_id, grace_seconds=grace, max_attempts=attempts
    )


def test_failures_in_a_row_are_counted_from_the_latest(study: SharedStudy) -> None:
    claims = Claims(study, "holder")
    kinds = ["error", "complete", "error", "lost", "error"]
    for kind in kinds:
        claim = claims.claim(STOP)
        assert isinstance(claim, Claim)
        if kind == "complete":
            study.storage.end(claim.trial_id, "holder", TrialState.COMPLETE, 0.5, {})
        else:
            retry = kind == "lost"
            why = {"failure": kind, "reason": f"{kind} {claim.number}"}
            study.storage.fail(claim.trial_id, why, worker="holder", retry=retry)
    assert study.storage.failures_in_a_row(study.study_id) == Failures(2, f"error {claim.number}")


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
    study: SharedStudy, claim: Claim
) -> None:
    silence(study, claim, 0.5)
    found = []
    again = threading.Thread(target=lambda: found.append(Claims(study, "holder").claim(STOP)))
    with study.storage.transaction() as janitor:
        janitor.execute(
            text("select * from trials where trial_id = :id for update"), {"id": claim.trial_id}
        )
        again.start()
        wait_for_row_lock(study)
        janitor.execute(
            text("update trials set state = 'FAIL' where trial_id = :id"), {"id": claim.trial_id}
        )
    again.join()
    (second,) = found
    assert isinstance(second, Claim)
    assert second.trial_id != claim.trial_id
    assert study.storage.get_trial(claim.trial_id).state == TrialState.FAIL


def wait_for_row_lock(study: SharedStudy) -> None:
    waiting = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
    deadline = time.monotonic() + 30
    while True:
        with study.storage.transaction() as session:
            if session.execute(waiting).scalar_one():
                return
        assert time.monotonic() < deadline, "nobody waits for the row"
        time.sleep(0.02)
