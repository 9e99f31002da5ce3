"""Pruning: by the family's own trials, never during warm-up, and in lock-step over the folds."""

import pytest

from blood_hpo.search.history import FamilyStudy, History
from blood_hpo.search.pruner import build_pruner, should_prune
from blood_hpo.studyfile.tables import PrunerSpec

from .histories import Row


def view_of(curves: dict[str, list[float]], family: str = "mlp") -> FamilyStudy:
    """A family of a history where each family has five trials with the given scores."""
    history = History({name: {} for name in curves})
    names = [name for name in curves for _ in range(5)]
    history.learn(
        Row(number, name, value=curves[name][-1], reports=curves[name])
        for number, name in enumerate(names)
    )
    return history.families[family]


def spec(**changes: object) -> PrunerSpec:
    return PrunerSpec.model_validate({"startup_trials": 5, "warmup_epochs": 2, **changes})


def test_a_trial_below_its_familys_median_is_pruned() -> None:
    view, pruner = view_of({"mlp": [0.5, 0.6, 0.7, 0.75]}), build_pruner(spec())
    assert should_prune(pruner, view, {1: 0.3, 2: 0.3, 3: 0.3})
    assert not should_prune(pruner, view, {1: 0.6, 2: 0.7, 3: 0.8})


def test_other_families_do_not_count() -> None:
    curves = {"mlp": [0.5, 0.6, 0.7, 0.75], "cnn": [0.8, 0.85, 0.87, 0.9]}
    reported = {1: 0.6, 2: 0.65, 3: 0.72}
    assert not should_prune(build_pruner(spec()), view_of(curves, "mlp"), reported)
    assert should_prune(build_pruner(spec()), view_of(curves, "cnn"), reported)


def test_nothing_is_pruned_during_the_warm_up_epochs() -> None:
    view, pruner = view_of({"mlp": [0.5, 0.6, 0.7, 0.75]}), build_pruner(spec())
    assert not should_prune(pruner, view, {1: 0.0})
    assert not should_prune(pruner, view, {1: 0.0, 2: 0.0})
    assert should_prune(pruner, view, {1: 0.0, 2: 0.0, 3: 0.0})


def test_nothing_is_pruned_before_enough_trials_have_finished() -> None:
    view = view_of({"mlp": [0.5, 0.6, 0.7, 0.75]})
    assert not should_prune(build_pruner(spec(startup_trials=6)), view, {1: 0, 2: 0, 3: 0})


@pytest.mark.parametrize(("percentile", "pruned"), [(90.0, False), (10.0, True)])
def test_a_percentile_lets_that_share_go_on(percentile: float, pruned: bool) -> None:
    view = FamilyStudy("mlp", {})
    for tenth in range(10):
        view.learn(Row(tenth, value=tenth / 10, reports=[tenth / 10] * 3))
    pruner = build_pruner(spec(name="percentile", percentile=percentile))
    assert should_prune(pruner, view, {1: 0.5, 2: 0.5, 3: 0.5}) is pruned


def test_a_trial_that_stopped_early_sets_the_bar_with_what_it_had() -> None:
    view = FamilyStudy("mlp", {})
    for number in range(4):
        view.learn(Row(number, value=0.5, reports=[0.5] * 3))
    view.learn(Row(4, value=0.9, reports=[0.9] * 8))
    assert not should_prune(build_pruner(spec()), view, dict.fromkeys(range(1, 7), 0.6))
    assert should_prune(build_pruner(spec()), view, dict.fromkeys(range(1, 7), 0.4))


def test_without_a_pruner_nothing_is_pruned() -> None:
    view = view_of({"mlp": [0.5, 0.6, 0.7]})
    assert not should_prune(build_pruner(spec(name="none")), view, {1: 0.0, 2: 0.0, 3: 0.0})
