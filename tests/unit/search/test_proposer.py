"""Proposals: reproducible, never repeated, and only from the family's own trials."""

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from blood_hpo.search.family import FamilyStudy
from blood_hpo.search.proposer import Exhausted, Proposal, Proposer
from blood_hpo.search.space import MODEL, family_distributions, model_distribution
from blood_hpo.studyfile.schema import StudySpec


def spec(sampler: str = "tpe", **family: object) -> StudySpec:
    space = {"units": [64, 128, 256, 512], "activation": ["relu", "tanh"]}
    document = {
        "name": "proposals",
        "seed": 3,
        "sampler": {"name": sampler, **({"startup_trials": 3} if sampler == "tpe" else {})},
        "families": {"mlp": {"budget": 8, "space": space, **family}},
    }
    return StudySpec.parse(document, "test")


class Recorded:
    """An Optuna study in memory to which proposals are added as finished trials."""

    def __init__(self, one: StudySpec, family: str = "mlp") -> None:
        self.spec, self.family = one, family
        storage = InMemoryStorage()
        self.study = optuna.create_study(storage=storage, study_name=one.name, direction="maximize")
        self.view = FamilyStudy(one.name, storage, family)
        self.proposer = Proposer(one, family)

    def propose(self) -> Proposal | object:
        self.view.refresh()
        return self.proposer.propose(self.view)

    def finish(self, proposal: Proposal, score: float, family: str | None = None) -> None:
        family = family or self.family
        self.study.add_trial(
            create_trial(
                state=TrialState.COMPLETE,
                value=score,
                params={MODEL: family, **proposal.params},
                distributions={
                    MODEL: model_distribution(self.spec),
                    **family_distributions(self.spec, self.family),
                },
                user_attrs={"family": family, "config_hash": proposal.config_hash},
            )
        )


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_every_configuration_is_proposed_once_and_then_none(sampler: str) -> None:
    recorded, seen = Recorded(spec(sampler)), set()
    for number in range(8):
        proposal = recorded.propose()
        assert isinstance(proposal, Proposal)
        seen.add(proposal.config_hash)
        recorded.finish(proposal, number / 10)
    assert len(seen) == 8
    assert recorded.propose() == Exhausted()


def test_samples_that_repeat_a_trial_are_counted() -> None:
    avoided = []
    for sampler in ("random", "grid"):
        recorded = Recorded(spec(sampler))
        for _ in range(8):
            proposal = recorded.propose()
            assert isinstance(proposal, Proposal)
            avoided.append(proposal.repeats_avoided)
            recorded.finish(proposal, 0.5)
    assert avoided[0] == 0
    assert sum(avoided[:8]) > 0  # eight draws of eight cells at random hit one twice
    assert avoided[8:] == [0] * 8


def test_a_grid_runs_in_file_order() -> None:
    recorded = Recorded(spec("grid"))
    units = []
    for _ in range(4):
        proposal = recorded.propose()
        assert isinstance(proposal, Proposal)
        units.append((proposal.params["units"], proposal.params["activation"]))
        recorded.finish(proposal, 0.5)
    assert units == [(64, "relu"), (64, "tanh"), (128, "relu"), (128, "tanh")]


def test_the_same_trials_give_the_same_proposal() -> None:
    first, second = Recorded(spec()), Recorded(spec())
    for score in (0.1, 0.9, 0.5, 0.3, 0.2):
        ours, theirs = first.propose(), second.propose()
        assert ours == theirs
        assert isinstance(ours, Proposal)
        first.finish(ours, score)
        second.finish(ours, score)


def test_tpe_learns_what_is_good() -> None:
    space = {"dropout": {"low": 0.0, "high": 0.9}}
    recorded, late = Recorded(spec(space=space)), []
    for number in range(40):
        proposal = recorded.propose()
        assert isinstance(proposal, Proposal)
        dropout = proposal.params["dropout"]
        assert isinstance(dropout, float)
        recorded.finish(proposal, 1 - abs(dropout - 0.3))
        if number >= 30:
            late.append(abs(dropout - 0.3))
    assert sum(late) / len(late) < 0.1


def test_the_view_hides_other_families() -> None:
    families = {
        "mlp": {"budget": 8, "space": {"units": [64, 128]}},
        "cnn": {"budget": 8, "space": {"filters": [8, 16]}},
    }
    one = StudySpec.parse({"name": "proposals", "seed": 3, "families": families}, "test")
    recorded = Recorded(one)
    proposal = recorded.propose()
    assert isinstance(proposal, Proposal)
    recorded.finish(proposal, 0.9, family="cnn")
    recorded.view.refresh()
    assert recorded.view.get_trials() == []
    recorded.finish(proposal, 0.9)
    recorded.view.refresh()
    assert [trial.number for trial in recorded.view.get_trials()] == [1]
