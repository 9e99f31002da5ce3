"""Which configuration another study is put around."""

import json
import threading

import pytest
from optuna.trial import TrialState

from blood_hpo.database.record import TrialRecord
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.final.confirmation_stage import ConfirmStage
from blood_hpo.final.stage_study import open_stage
from blood_hpo.stages import CONFIRM
from blood_hpo.store.results import Ending, Results
from blood_hpo.store.studies import SharedStudy, winning_configuration
from blood_hpo.training.fold_result import FoldResult
from blood_hpo.worker.claims import Claims

from .own_search import SOURCE, search

CANDIDATE = {
    "search_rank": 2,
    "search_score": 0.7,
    "left_out": None,
    "rank": 1,
    "separable": False,
    "winner": True,
    **dict.fromkeys(("scores", "collapsed", "mean", "sd", "low", "high", "behind")),
    **dict.fromkeys(("behind_low", "behind_high", "p_value")),
}


@pytest.fixture
def study(database_url: str) -> SharedStudy:
    return search(database_url)


def test_the_searchs_best_until_a_winner_is_confirmed(study: SharedStudy) -> None:
    claims, found = Claims(study, "one"), []
    for score in (0.8, 0.7):
        claim = claims.claim(threading.Event().wait)
        assert isinstance(claim, TrialRecord)
        study.storage.end(claim.trial_id, "one", TrialState.COMPLETE, Ending(score))
        found.append(claim)
    best, second = found
    assert winning_configuration(study.storage, "own", "mlp") == best.config
    confirm = open_stage(study, CONFIRM)
    row = {"study_id": confirm.study_id, "family": "mlp", "config_hash": second.config_hash}
    with study.storage.engine.begin() as connection:
        winner = {**CANDIDATE, **row, "source_number": second.number}
        connection.execute(statement("new_candidates"), {"rows": json.dumps([winner])})
    assert winning_configuration(study.storage, "own", "mlp") == second.config


def test_an_older_outcome_of_a_worker_that_stood_still_does_not_stay(study: SharedStudy) -> None:
    def measured(score: float) -> Ending:
        scores = (score - 0.01, score, score + 0.01)
        folds = [FoldResult(one, 1, 1, [1.0], [0.5], held_out=[0.5]) for one in scores]
        return Ending(score, Results(folds, 1.0, 100))

    def work(stage: Claims | ConfirmStage, worker: str, best: int) -> None:
        while isinstance(claim := stage.claim(threading.Event().wait), TrialRecord):
            score = 0.9 if claim.config["units"] == best else 0.5
            stage.study.storage.end(claim.trial_id, worker, TrialState.COMPLETE, measured(score))

    def winner() -> object:
        with study.storage.engine.connect() as connection:
            asked = "SELECT config ->> 'units' FROM hpo.confirmations WHERE winner"
            return connection.exec_driver_sql(asked).scalar()

    work(Claims(study, "one"), "one", best=8)
    confirm = ConfirmStage(study, SOURCE, "one")
    work(confirm, "one", best=16)
    confirm.conclude()
    assert winner() == "16"
    with study.storage.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE hpo.candidate SET winner = false")
        connection.exec_driver_sql("UPDATE hpo.candidate SET winner = true WHERE search_rank = 1")
    assert winner() == "8"
    confirm.conclude()
    assert winner() == "16"


def test_a_study_without_a_complete_trial_has_none(study: SharedStudy) -> None:
    with pytest.raises(StudyError, match="no complete mlp trial"):
        winning_configuration(study.storage, "own", "mlp")
