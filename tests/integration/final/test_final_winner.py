"""Which configuration another study is put around."""

import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import create_trial

from blood_hpo.errors import StudyError
from blood_hpo.final.names import CONFIRM, CONFIRMATION
from blood_hpo.final.stage_study import open_stage
from blood_hpo.final.winner import winning_configuration
from blood_hpo.service.studies import SharedStudy

from .conftest import search


@pytest.fixture
def study(database_url: str) -> SharedStudy:
    """A search whose better trial has 16 units."""
    found = search(database_url)
    for units, score in ((8, 0.5), (16, 0.7)):
        trial = create_trial(
            value=score,
            params={"units": units},
            distributions={"units": CategoricalDistribution((8, 16))},
            user_attrs={"family": "mlp", "config": {"units": units}},
        )
        found.storage.create_new_trial(found.study_id, trial)
    return found


def test_before_a_confirmation_it_is_the_best_of_the_search(study: SharedStudy) -> None:
    assert winning_configuration(study.storage, "own", "mlp") == {"units": 16}


def test_afterwards_it_is_the_confirmed_winner(study: SharedStudy) -> None:
    stage = open_stage(study, CONFIRM, "id", {"mlp": 2})
    assert winning_configuration(study.storage, "own", "mlp") == {"units": 16}
    outcome = {"families": {"mlp": {"candidates": [{"config": {"units": 8}}]}}}
    stage.storage.set_study_user_attr(stage.study_id, CONFIRMATION, outcome)
    assert winning_configuration(study.storage, "own", "mlp") == {"units": 8}


def test_a_family_without_a_complete_trial_has_none(study: SharedStudy) -> None:
    with pytest.raises(StudyError, match="no complete cnn trial"):
        winning_configuration(study.storage, "own", "cnn")
