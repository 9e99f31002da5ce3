"""A staged grid goes on to its next stage when every trial of a stage has ended, however."""

import pytest

from blood_hpo.search.history import FamilyStudy
from blood_hpo.search.proposer import Proposal, Proposer
from blood_hpo.studyfile.schema import StudySpec

from .histories import family_with, learn

SPEC = StudySpec.parse(
    {
        "name": "staged",
        "sampler": {"name": "staged_grid"},
        "pruner": {"name": "none"},
        "families": {
            "mlp": {
                "space": {"units": [64, 128], "batch_size": [16, 32]},
                "start": {"units": 64, "batch_size": 16},
                "stages": [["units"], ["batch_size"]],
            }
        },
    },
    "test",
)


@pytest.fixture
def proposer() -> Proposer:
    return Proposer(SPEC, "mlp")


@pytest.fixture
def known(proposer: Proposer) -> FamilyStudy:
    return family_with(proposer)


@pytest.mark.parametrize(("state", "value"), [("COMPLETE", 0.5), ("PRUNED", 0.9), ("FAIL", None)])
def test_the_best_complete_trial_leads_to_the_next_stage(
    proposer: Proposer, known: FamilyStudy, state: str, value: float | None
) -> None:
    first, second = proposed(proposer, known)
    assert second.params == {"units": 128, "batch_size": 16}
    learn(known, first, value=0.6)
    learn(known, second, state, value, given_up=state == "FAIL")
    (third,) = proposed(proposer, known)
    assert third.params == {"units": 64, "batch_size": 32}


def test_a_stage_waits_for_trials_that_run(proposer: Proposer, known: FamilyStudy) -> None:
    for proposal in proposed(proposer, known):
        learn(known, proposal, "RUNNING")
    assert proposer.propose(known) is None


def proposed(proposer: Proposer, known: FamilyStudy) -> list[Proposal]:
    found = proposer.propose(known)
    assert isinstance(found, list)
    return found
