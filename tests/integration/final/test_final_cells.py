"""Cells are handed out exactly once, whoever asks, and one that failed for good is not repeated."""

import threading
from collections import Counter

import pytest
from optuna.trial import TrialState

from blood_hpo.errors import StudyError
from blood_hpo.final.cells import Cell, claim_cell
from blood_hpo.final.names import CONFIRM
from blood_hpo.final.stage_study import open_stage
from blood_hpo.service.budget import Busy, Claim, Finished
from blood_hpo.service.storage import StudyStorage
from blood_hpo.service.studies import SharedStudy, open_study, resume

from .conftest import search

STOP = threading.Event()
CELLS = [
    Cell("mlp", {"units": units}, f"{units:016x}", number, 100 + number, {}, {}, {"rules": {}})
    for units in (8, 16, 32)
    for number in (1, 2)
]


@pytest.fixture
def stage(database_url: str) -> SharedStudy:
    return open_stage(search(database_url), CONFIRM, "id", {"mlp": len(CELLS)})


def work(url: str, worker: str, taken: list[tuple[str, object]]) -> None:
    one = open_stage(open_study(StudyStorage(url, worker), "own"), CONFIRM, "id", {"mlp": 6})
    while not isinstance(found := claim_cell(one, worker, CELLS, STOP), Finished):
        if isinstance(found, Claim):
            taken.append((found.config_hash, found.attributes["replicate"]))
            one.storage.end(found.trial_id, worker, TrialState.COMPLETE, 0.5, {})


def test_four_workers_run_every_cell_once(stage: SharedStudy, database_url: str) -> None:
    taken: list[tuple[str, object]] = []
    threads = [
        threading.Thread(target=work, args=(database_url, f"worker-{n}", taken)) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Counter(taken) == Counter((cell.config_hash, cell.replicate) for cell in CELLS)
    assert stage.storage.get_n_trials(stage.study_id) == len(CELLS)


def test_a_cell_that_failed_for_good_is_left_and_one_that_may_be_retried_comes_back(
    stage: SharedStudy,
) -> None:
    first = claim_cell(stage, "one", CELLS[:2], STOP)
    second = claim_cell(stage, "two", CELLS[:2], STOP)
    assert isinstance(first, Claim)
    assert isinstance(second, Claim)
    stage.storage.fail(first.trial_id, {"reason": "no"}, worker="one", retry=False)
    stage.storage.fail(second.trial_id, {"reason": "no"}, worker="two", retry=True)
    again = claim_cell(stage, "three", CELLS[:2], STOP)
    assert isinstance(again, Claim)
    assert (again.identity, again.attempt) == (second.identity, 2)
    assert again.attributes["rules"] == {}
    assert isinstance(claim_cell(stage, "four", CELLS[:2], STOP), Busy)
    stage.storage.end(again.trial_id, "three", TrialState.COMPLETE, 0.5, {})
    assert claim_cell(stage, "four", CELLS[:2], STOP) == Finished(closed=("mlp",))
    resume(stage.storage, stage.study_id)
    forgiven = claim_cell(stage, "four", CELLS[:2], STOP)
    assert isinstance(forgiven, Claim)
    assert forgiven.identity == first.identity


def test_artefacts_are_written_with_the_ending_or_not_at_all(stage: SharedStudy) -> None:
    claim = claim_cell(stage, "one", CELLS, STOP)
    assert isinstance(claim, Claim)
    files = {"model.keras": b"a model"}
    other = stage.storage.end(claim.trial_id, "two", TrialState.COMPLETE, 0.5, {}, files)
    assert not other
    assert not kept(stage)
    assert stage.storage.end(claim.trial_id, "one", TrialState.COMPLETE, 0.5, {}, files)
    assert kept(stage) == {f"{claim.number}/model.keras"}


def kept(stage: SharedStudy) -> set[str]:
    from blood_hpo.database.artefacts import listing

    return {one.name for one in listing(stage.storage.engine, stage.name)}


def test_a_study_that_is_in_the_way_is_not_joined(database_url: str) -> None:
    found = search(database_url)
    found.storage.create_study("own-confirm", {}, metric="accuracy")
    with pytest.raises(StudyError, match="'own-confirm' is in the way"):
        open_stage(found, CONFIRM, "id", {"mlp": 1})


def test_trials_under_other_settings_are_not_joined(stage: SharedStudy) -> None:
    found = open_study(stage.storage, "own")
    with pytest.raises(StudyError, match="under other settings"):
        open_stage(found, CONFIRM, "another", {"mlp": 1})


def test_a_stage_is_not_worked_on_by_its_own_name(stage: SharedStudy) -> None:
    with pytest.raises(StudyError, match="is a stage of 'own'"):
        open_study(stage.storage, stage.name)
