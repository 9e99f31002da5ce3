"""The plan of a stage: every training once, whoever asks, and exactly the one in force."""

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from blood_hpo.database.record import TrialRecord, read_trials
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.final.planned_stage import claim_planned
from blood_hpo.final.stage_study import Training, open_stage, put_in_force
from blood_hpo.models.configuration import Configuration
from blood_hpo.report.read.final_stage import read_final
from blood_hpo.report.read.findings import read
from blood_hpo.settings import Settings
from blood_hpo.stages import CONFIRM, FINAL
from blood_hpo.store.results import Ending
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy, finish, open_study, pause, resume
from blood_hpo.training.fold_result import Rules
from blood_hpo.version import __version__
from blood_hpo.worker.claims import Busy, Finished, Found
from blood_hpo.worker.janitor import Audit, recover_stale_trials

from ...waiting import until
from .own_search import search

STOP = threading.Event().wait


def training(units: int, number: int, epochs: int = 3) -> Training:
    configuration = Configuration.of("mlp", {"units": units})
    rules = Rules(epochs, epochs, 0)
    return Training(configuration, number, 100 * epochs + number, {}, None, "winner", rules)


PLAN = [training(units, number) for number in (1, 2) for units in (8, 16, 32)]


@pytest.fixture
def stage(database_url: str) -> SharedStudy:
    return planned(search(database_url), PLAN)


def planned(found: SharedStudy, trainings: Sequence[Training]) -> SharedStudy:
    stage = open_stage(found, FINAL)
    put_in_force(stage, FINAL, trainings)
    return stage


def claim(stage: SharedStudy, worker: str) -> Found:
    return claim_planned(stage, FINAL, worker, STOP)


def taken(stage: SharedStudy, worker: str) -> TrialRecord:
    found = claim(stage, worker)
    assert isinstance(found, TrialRecord)
    return found


def work(url: str, worker: str) -> None:
    one = open_stage(open_study(StudyStorage(url, worker), "own"), FINAL)
    while not isinstance(found := claim(one, worker), Finished):
        if isinstance(found, TrialRecord):
            one.storage.end(found.trial_id, worker, TrialState.COMPLETE, Ending(0.5))


def trials(stage: SharedStudy) -> tuple[TrialRecord, ...]:
    with stage.storage.plain() as connection:
        return read_trials(connection, stage.name)


def test_four_workers_do_every_training_once(stage: SharedStudy, database_url: str) -> None:
    threads = [threading.Thread(target=work, args=(database_url, f"worker-{n}")) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    done = Counter((one.config_hash, one.seed) for one in trials(stage))
    assert done == Counter(one.key for one in PLAN)


def test_a_training_is_given_with_its_rules(stage: SharedStudy) -> None:
    found = taken(stage, "one")
    assert (found.most_epochs, found.patience, found.start_epoch) == (3, 3, 0)
    assert (found.recipe, found.replicate, found.seed) == ("winner", 1, 301)


def test_one_that_failed_for_good_is_left_and_one_that_may_be_retried_comes_back(
    database_url: str,
) -> None:
    stage = planned(search(database_url), PLAN[:2])
    first, second = taken(stage, "one"), taken(stage, "two")
    key = stage.study_id
    assert stage.storage.fail(key, first.trial_id, "no", worker="one", retry=False)
    assert stage.storage.fail(key, second.trial_id, "no", worker="two", retry=True)
    put_in_force(stage, FINAL, PLAN[:2])  # as every worker does before it claims
    again = taken(stage, "three")
    assert (again.identity, again.attempt) == (second.identity, 2)
    assert isinstance(claim(stage, "four"), Busy)
    stage.storage.end(again.trial_id, "three", TrialState.COMPLETE, Ending(0.5))
    assert claim(stage, "four") == Finished(closed=("mlp",))
    resume(stage.storage, key)
    put_in_force(stage, FINAL, PLAN[:2])
    assert taken(stage, "four").identity == first.identity


def test_a_family_that_was_closed_is_open_again_under_another_plan(stage: SharedStudy) -> None:
    stage.storage.tell("close_families", study_id=stage.study_id, families=["mlp"])
    put_in_force(stage, FINAL, [training(64 + one, 1) for one in range(len(PLAN))])
    (row,) = stage.storage.ask("standing", study_id=stage.study_id)
    assert not row.closed


def test_a_repair_gives_up_nothing_that_a_plan_asks_for(stage: SharedStudy, tmp_path: Path) -> None:
    for _ in PLAN:
        found = taken(stage, "one")
        told: dict[str, Any] = {"worker": "one", "retry": False}
        assert stage.storage.fail(stage.study_id, found.trial_id, "no", **told)
    resume(stage.storage, stage.study_id)
    put_in_force(stage, FINAL, PLAN)
    audit = Audit(stage.storage, stage.name, Settings(home=tmp_path))
    assert audit.find() == []
    audit.repair()
    assert taken(stage, "one").attempt == 2


def test_a_report_counts_what_failed_for_good_and_says_what_is_paused(
    database_url: str,
) -> None:
    stage = planned(search(database_url), PLAN[:2])
    for _ in PLAN[:2]:
        found = taken(stage, "one")
        assert stage.storage.fail(
            stage.study_id, found.trial_id, "no", worker="one", retry=False, grace_seconds=None
        )
    with stage.storage.engine.connect() as connection:
        final = read_final(connection, "own")
    assert final
    assert (final.missing, final.failed) == (2, 0)
    ended = claim(stage, "two")
    assert isinstance(ended, Finished)
    stage.storage.tell("close_families", study_id=stage.study_id, families=list(ended.closed))
    pause(stage.storage, stage.study_id, "to look")
    findings = read(stage.storage.engine, "own")
    assert findings.final
    assert (findings.final.missing, findings.final.failed) == (0, 2)
    assert findings.paused == ("own-final",)


def test_a_resumption_gives_as_many_attempts_again(stage: SharedStudy) -> None:
    for expected in range(1, 7):
        assert taken(stage, "one").attempt == expected
        settings = Settings(grace_seconds=1e-6, max_attempts=3)
        assert recover_stale_trials(stage.storage, stage.study_id, settings, at_once=True)
        given_up = "WAITING" not in {one.state for one in trials(stage)}
        assert given_up == (expected in {3, 6})
        if given_up:
            resume(stage.storage, stage.study_id)
            put_in_force(stage, FINAL, PLAN)


def test_what_is_resumed_while_a_worker_finishes_is_not_finished(stage: SharedStudy) -> None:
    first = open_study(stage.storage, "own")
    resume(stage.storage, stage.study_id)
    for known, left in ((first, ["own"]), (open_study(stage.storage, "own"), [])):
        finish(known)
        wanted = {"program_version": __version__, "sha256": str(first.data["sha256"])}
        assert [one.name for one in stage.storage.ask("unfinished", **wanted)] == left


def test_what_waited_and_is_withdrawn_cost_nothing_while_it_waited(stage: SharedStudy) -> None:
    waiting = taken(stage, "one")
    stage.storage.put_back(waiting.trial_id, "one")
    put_in_force(stage, FINAL, [training(8, 1, epochs=5)])
    (ended,) = trials(stage)
    assert (ended.state, ended.finished_at) == ("FAIL", ended.started_at)


def test_what_is_withdrawn_and_then_put_back_is_no_longer_waited_for(stage: SharedStudy) -> None:
    running = taken(stage, "one")
    put_in_force(stage, FINAL, [training(8, 1, epochs=5)])
    stage.storage.put_back(running.trial_id, "one")
    planned_one = taken(stage, "two")
    stage.storage.end(planned_one.trial_id, "two", TrialState.COMPLETE, Ending(0.5))
    assert claim(stage, "two") == Finished()
    assert [one.state for one in trials(stage)] == ["FAIL", "COMPLETE"]


def test_a_stage_that_is_paused_while_it_is_looked_at_is_not_finished(
    stage: SharedStudy, database_url: str
) -> None:
    """Whoever claims waits for the study's row, and by then a person has paused it."""
    admin, found = StudyStorage(database_url, "admin"), []
    with admin.engine.connect() as holder:
        holder.execute(statement("claim_lock"), {"study_id": stage.study_id})
        waiting = threading.Thread(target=lambda: found.append(claim(stage, "one")))
        waiting.start()
        until(lambda: stuck(admin), "it waits for the row")
        pause(admin, stage.study_id, "lunch")
        holder.rollback()
        waiting.join()
    assert found == [Busy()]


def stuck(storage: StudyStorage) -> bool:
    with storage.engine.connect() as connection:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(connection.exec_driver_sql(asked).scalar())


def test_a_resumption_meets_no_lock_of_a_plan_that_is_being_made(
    stage: SharedStudy, database_url: str
) -> None:
    pause(stage.storage, stage.study_id, "lunch")
    planner = StudyStorage(database_url, "planner").engine
    with planner.connect() as connection:
        connection.exec_driver_sql("UPDATE hpo.configuration SET place = NULL WHERE place = 2")
        connection.exec_driver_sql("SELECT FROM hpo.budget FOR UPDATE")
        resume(stage.storage, stage.study_id)
        connection.rollback()
    assert taken(stage, "one")


def test_a_changed_plan_counts_what_it_asks_for_and_nothing_else(stage: SharedStudy) -> None:
    old = taken(stage, "one")
    stage.storage.end(old.trial_id, "one", TrialState.COMPLETE, Ending(0.5))
    waiting, running = taken(stage, "one"), taken(stage, "two")
    stage.storage.put_back(waiting.trial_id, "one")
    longer = [training(8, 1, epochs=5), training(8, 2, epochs=5)]
    put_in_force(stage, FINAL, longer)
    (row,) = stage.storage.ask("standing", study_id=stage.study_id)
    assert (row.budget, row.held, row.open) == (2, 2, False)  # what runs is not of the plan
    assert not stage.storage.ask("open_test", trial_id=running.trial_id, worker="two")
    stage.storage.end(running.trial_id, "two", TrialState.COMPLETE, Ending(0.5))
    for worker in ("one", "two"):
        found = taken(stage, worker)
        assert found.most_epochs == 5
        assert stage.storage.ask("open_test", trial_id=found.trial_id, worker=worker)
        stage.storage.end(found.trial_id, worker, TrialState.COMPLETE, Ending(0.5))
    assert claim(stage, "one") == Finished()
    put_in_force(stage, FINAL, PLAN[:2])  # back again: the first of it is done, and counts
    states = {one.number: (one.state, one.in_force) for one in trials(stage)}
    assert states[old.number] == ("COMPLETE", True)
    assert states[waiting.number] == ("FAIL", True)
    assert [one.in_force for one in trials(stage) if one.most_epochs == 5] == [False, False]


def test_what_no_plan_asks_for_any_more_is_no_failure(stage: SharedStudy) -> None:
    running = [taken(stage, worker) for worker in "abcde"]
    put_in_force(stage, FINAL, [training(8, 1, epochs=5)])
    for one, worker in zip(running, "abcde", strict=True):
        told: dict[str, Any] = {"worker": worker, "retry": False}
        assert stage.storage.fail(stage.study_id, one.trial_id, "not asked for", **told)
    assert stage.storage.failures_in_a_row(stage.study_id).configurations == 0
    found = taken(stage, "a")
    assert stage.storage.fail(stage.study_id, found.trial_id, "no", worker="a", retry=True)
    assert stage.storage.failures_in_a_row(stage.study_id).configurations == 1


def test_a_plan_that_comes_back_brings_no_failures_and_no_intervals(stage: SharedStudy) -> None:
    ended = taken(stage, "one")
    stage.storage.end(ended.trial_id, "one", TrialState.COMPLETE, Ending(0.5))
    interval = {"config_hash": ended.config_hash, "seeds": 1, "low": 0.4, "high": 0.6}
    stage.storage.tell("write_test_interval", study_id=stage.study_id, **interval)
    for _ in PLAN[1:]:
        waiting = taken(stage, "one")
        stage.storage.put_back(waiting.trial_id, "one")
    for plan in ([training(8, 1, epochs=5)], PLAN):
        put_in_force(stage, FINAL, plan)
        assert stage.storage.failures_in_a_row(stage.study_id).configurations == 0
    with stage.storage.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT seeds FROM hpo.test_interval").scalars().all()
    assert stored == [0]


def test_artefacts_are_linked_with_the_ending_or_not_at_all(stage: SharedStudy) -> None:
    found = taken(stage, "one")
    files = {"model.keras": stage.storage.store(stage.study_id, b"a model")}
    end = stage.storage.end
    assert not end(found.trial_id, "two", TrialState.COMPLETE, Ending(0.5), files)
    assert not kept(stage)
    assert end(found.trial_id, "one", TrialState.COMPLETE, Ending(0.5), files)
    assert kept(stage) == {f"{found.number}/model.keras"}


def kept(stage: SharedStudy) -> set[str]:
    from blood_hpo.database.artefacts import listing

    return {one.name for one in listing(stage.storage.engine, stage.name)}


def test_a_study_that_is_in_the_way_is_not_joined(database_url: str) -> None:
    found = search(database_url)
    found.storage.create_new_study([], "own-confirm")
    with pytest.raises(StudyError, match="'own-confirm' is in the way"):
        open_stage(found, CONFIRM)


def test_a_stage_is_not_worked_on_by_its_own_name(stage: SharedStudy) -> None:
    with pytest.raises(StudyError, match="is a stage of 'own'"):
        open_study(stage.storage, stage.name)
