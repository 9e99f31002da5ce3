"""A staged grid goes on to its next stage when every trial of a stage has ended, however."""

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.study import Study
from optuna.trial import TrialState, create_trial

from blood_hpo.search.family import FamilyStudy
from blood_hpo.search.proposer import Exhausted, Proposal, Proposer, Wait
from blood_hpo.search.space import MODEL, family_distributions, model_distribution
from blood_hpo.studyfile.schema import StudySpec

SPEC = StudySpec.parse(
    {
        "name": "staged",
        "sampler": {"name": "staged_grid"},
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


def record(study: Study, proposal: Proposal, state: TrialState, value: float | None) -> None:
    trial = create_trial(
        state=state,
        value=value,
        params={MODEL: "mlp", **proposal.params},
        distributions={MODEL: model_distribution(SPEC), **family_distributions(SPEC, "mlp")},
        user_attrs={
            "family": "mlp",
            "config_hash": proposal.config_hash,
            "final_failure": state == TrialState.FAIL,
        },
    )
    study.add_trial(trial)


def propose(study: Study) -> Proposal | Wait | Exhausted:
    view = FamilyStudy("staged", study._storage, "mlp")
    view.refresh()
    return Proposer(SPEC, "mlp").propose(view)


@pytest.mark.parametrize(
    ("state", "value"),
    [(TrialState.COMPLETE, 0.5), (TrialState.PRUNED, 0.9), (TrialState.FAIL, None)],
)
def test_the_best_complete_trial_leads_to_the_next_stage(
    state: TrialState, value: float | None
) -> None:
    study = optuna.create_study(storage=InMemoryStorage(), study_name="staged")
    first = propose(study)
    assert isinstance(first, Proposal)
    record(study, first, TrialState.COMPLETE, 0.6)
    second = propose(study)
    assert isinstance(second, Proposal)
    assert second.params == {"units": 128, "batch_size": 16}
    record(study, second, state, value)
    third = propose(study)
    assert isinstance(third, Proposal)
    assert third.params == {"units": 64, "batch_size": 32}


def test_a_stage_waits_for_trials_that_run() -> None:
    study = optuna.create_study(storage=InMemoryStorage(), study_name="staged")
    for _ in range(2):
        proposal = propose(study)
        assert isinstance(proposal, Proposal)
        record(study, proposal, TrialState.RUNNING, None)
    assert propose(study) == Wait()
