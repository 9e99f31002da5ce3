"""Which configuration another study is put around."""

import json
import threading

import pytest
from optuna.trial import TrialState

from blood_hpo.database.record import TrialRecord
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.final.stage_study import open_stage
from blood_hpo.stages import CONFIRM
from blood_hpo.store.results import Ending
from blood_hpo.store.studies import SharedStudy, winning_configuration
from blood_hpo.worker.claims import Claims

from .own_search import search

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


def test_a_study_without_a_complete_trial_has_none(study: SharedStudy) -> None:
    with pytest.raises(StudyError, match="no complete mlp trial"):
        winning_configuration(study.storage, "own", "mlp")
