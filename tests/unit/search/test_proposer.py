"""Proposals: reproducible, never repeated, and only from the family's own trials."""

import pytest

from blood_hpo.search.history import History
from blood_hpo.search.proposer import Proposal, Proposer
from blood_hpo.studyfile.schema import StudySpec

from .histories import Row, family_with, learn


def spec(sampler: str = "tpe", **family: object) -> StudySpec:
    space = {"units": [64, 128, 256, 512], "activation": ["relu", "tanh"]}
    document = {
        "name": "proposals",
        "seed": 3,
        "sampler": {"name": sampler, **({"startup_trials": 3} if sampler == "tpe" else {})},
        "pruner": {"name": "none"},
        "families": {"mlp": {"budget": 8, "space": space, **family}},
    }
    return StudySpec.parse(document, "test")


class Recorded:
    """A family's history, to which proposals are added as finished trials."""

    def __init__(self, one: StudySpec, family: str = "mlp") -> None:
        self.proposer = Proposer(one, family)
        self.known = family_with(self.proposer)

    def propose(self) -> Proposal | object:
        found = self.proposer.propose(self.known)
        return found[0] if found else found

    def finish(self, proposal: Proposal, score: float) -> None:
        learn(self.known, proposal, value=score)


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_every_configuration_is_proposed_once_and_then_none(sampler: str) -> None:
    recorded, seen = Recorded(spec(sampler)), set()
    for number in range(8):
        proposal = recorded.propose()
        assert isinstance(proposal, Proposal)
        seen.add(proposal.configuration.config_hash)
        recorded.finish(proposal, number / 10)
    assert len(seen) == 8
    assert recorded.propose() == []


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


def test_a_history_keeps_families_apart() -> None:
    families = {
        "mlp": {"budget": 8, "space": {"units": [64, 128]}},
        "cnn": {"budget": 8, "space": {"filters": [8, 16]}},
    }
    one = StudySpec.parse({"name": "proposals", "seed": 3, "families": families}, "test")
    history = History({name: Proposer(one, name).space for name in families})
    history.learn([Row(0, "cnn", params={"filters": 8}, value=0.9), Row(1, "mlp", "RUNNING")])
    assert [trial.number for trial in history.families["mlp"].get_trials()] == [1]
    assert [trial.params for trial in history.families["cnn"].get_trials()] == [{"filters": 8}]
    assert (history.newest, history.unfinished) == (1, {1})
    history.learn([Row(1, "mlp", "PRUNED", value=0.5, reports=[0.4, 0.5])])
    (trial,) = history.families["mlp"].get_trials()
    assert dict(trial.intermediate_values) == {1: 0.4, 2: 0.5}
    assert history.unfinished == set()


@pytest.mark.parametrize("sampler", ["random", "grid"])
def test_many_are_proposed_at_once_where_that_costs_little(sampler: str) -> None:
    recorded = Recorded(spec(sampler))
    found = recorded.proposer.propose(recorded.known)
    assert isinstance(found, list)
    hashes = [one.configuration.config_hash for one in found]
    assert len(set(hashes)) == len(hashes) > 4


def test_after_a_collision_workers_go_different_ways() -> None:
    space = {"dropout": {"low": 0.0, "high": 0.9}}
    recorded = Recorded(spec(space=space))
    drawn = set()
    for salt in ("", "one", "two"):
        found = recorded.proposer.propose(recorded.known, salt)
        assert isinstance(found, list)
        drawn.add(found[0].configuration.config_hash)
    assert len(drawn) == 3


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_no_network_above_the_limit_is_proposed(sampler: str) -> None:
    recorded, units = Recorded(spec(sampler, max_parameters=400_000)), set()
    while isinstance(proposal := recorded.propose(), Proposal):
        units.add(proposal.params["units"])
        recorded.finish(proposal, 0.5)
    assert units == {64, 128}  # 256 units have 604,424 trainable parameters


def test_what_is_too_large_is_no_repeat() -> None:
    space = {"units": {"low": 1, "high": 2000}}
    for seed in range(6):  # one draw in fifty is small enough, so that most claims draw in vain
        one = spec("random", space=space, max_parameters=100_000).model_copy(update={"seed": seed})
        proposal = Recorded(one).propose()
        assert isinstance(proposal, Proposal)
        assert proposal.repeats_avoided == 0
