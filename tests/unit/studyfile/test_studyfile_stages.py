"""The staged grid, replayed on the scores that the report printed.

The numbers are the mean accuracies over three folds of the original notebooks' grid searches.
"""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.studyfile.staged_grid import stage_plan

SPEC = load(Path(__file__).parents[3] / "studies" / "paper-grid.toml")
Params = Mapping[str, object]

CNN_WEIGHTING = {
    ("none", "none"): 0.8407,
    ("flips_rotation", "none"): 0.8566,
    ("none", "balanced"): 0.8350,
    ("flips_rotation", "balanced"): 0.8436,
}
CNN_KERNELS = {  # filters: scores with kernels of 3, 5 and 7 pixels
    8: (0.8277, 0.8248, 0.8426),
    16: (0.8405, 0.8488, 0.8499),
    32: (0.8574, 0.8591, 0.8451),
    64: (0.8687, 0.8706, 0.8547),
    128: (0.8783, 0.8555, 0.8641),
}
CNN_POOLING = {  # scores with windows of 2, 3, 4, 5 pixels and the whole map
    "max": (0.8794, 0.8599, 0.8580, 0.8718, 0.7171),
    "mean": (0.8746, 0.8683, 0.8382, 0.8256, 0.6134),
}
CNN_LAST = {  # batch size: scores with SGD, RMSprop and Adam as the report labels them
    ("relu", 16): (0.8681, 0.8769, 0.8796),
    ("relu", 32): (0.8716, 0.8683, 0.8779),
    ("relu", 64): (0.8762, 0.8741, 0.8603),
    ("relu", 128): (0.8507, 0.8499, 0.8534),
    ("tanh", 16): (0.8591, 0.8562, 0.8505),
    ("tanh", 32): (0.8507, 0.8601, 0.8536),
    ("tanh", 64): (0.8472, 0.8484, 0.8539),
    ("tanh", 128): (0.8445, 0.8348, 0.8484),
}
KERNEL_SIZES = (3, 5, 7)
POOL_SIZES = (2, 3, 4, 5, "global")
OPTIMIZERS = ("sgd", "rmsprop", "adam")

Score = Callable[[Params], float | None]
CNN_STAGES: list[Score] = [
    lambda p: CNN_WEIGHTING[str(p["augmentation"]), str(p["class_weights"])],
    lambda p: CNN_KERNELS[int(str(p["filters"]))][KERNEL_SIZES.index(int(str(p["kernel_size"])))],
    lambda p: CNN_POOLING[str(p["pooling"])][POOL_SIZES.index(p["pool_size"])],
    lambda p: CNN_LAST[str(p["activation"]), int(str(p["batch_size"]))][
        OPTIMIZERS.index(str(p["optimizer"]))
    ],
]

MLP_UNITS = {64: 0.6153, 128: 0.7548, 256: 0.7439, 512: 0.7330, 1024: 0.7259}
MLP_STAGES: list[Score] = [
    lambda p: {
        ("none", "none"): 0.7525,
        ("flips_rotation", "none"): 0.7558,
        ("none", "balanced"): 0.7403,
        ("flips_rotation", "balanced"): 0.7134,
    }[str(p["augmentation"]), str(p["class_weights"])],
    lambda p: MLP_UNITS[int(str(p["units"]))],
    lambda p: 0.7615 if p["batch_size"] == 16 and p["activation"] == "relu" else 0.70,
]


def replay(
    family: str, scores: list[Score], spec: StudySpec = SPEC
) -> tuple[list[Params], list[int], list[tuple[Params, float | None]]]:
    """Follow the stages: incumbents at their start, new configurations in each, all results."""
    finished: list[tuple[Params, float | None]] = []
    incumbents: list[Params] = []
    new: list[int] = []
    while (plan := stage_plan(spec, family, finished)) is not None:
        seen = [params for params, _ in finished] or [spec.families[family].start or {}]
        (incumbent,) = [row for row in plan if row in seen]
        fresh = [row for row in plan if not incumbents or row != incumbent]
        finished += [(row, scores[len(incumbents)](row)) for row in fresh]
        incumbents.append(incumbent)
        new.append(len(fresh))
    return incumbents, new, finished


def test_the_cnn_stages_end_at_the_reports_optimum() -> None:
    incumbents, new, finished = replay("cnn", CNN_STAGES)
    assert new == [4, 14, 9, 23]
    assert len(finished) == SPEC.budgets["cnn"] == 50
    start, weighted, kernels, pooled = incumbents
    assert start == SPEC.families["cnn"].start
    assert weighted == {**start, "augmentation": "flips_rotation"}
    assert kernels == {**weighted, "filters": 128, "kernel_size": 3}
    assert pooled == {**kernels, "pooling": "max", "pool_size": 2}
    best = max(finished, key=lambda result: result[1] or 0.0)
    assert best == ({**pooled, "optimizer": "adam", "batch_size": 16}, 0.8796)


def test_the_mlp_stages_end_at_the_reports_optimum() -> None:
    incumbents, new, finished = replay("mlp", MLP_STAGES)
    assert new == [4, 4, 23]
    assert len(finished) == SPEC.budgets["mlp"] == 31
    assert incumbents[-1] == {**incumbents[0], "augmentation": "flips_rotation", "units": 128}


def test_a_stage_stays_until_its_last_combination_has_finished() -> None:
    plan = stage_plan(SPEC, "mlp", [])
    assert plan is not None
    rows = [(row, 0.5) for row in plan]
    for done in range(len(rows)):
        assert stage_plan(SPEC, "mlp", rows[:done]) == plan
    after = stage_plan(SPEC, "mlp", rows)
    assert after is not None
    assert len(after) == 5  # of the second stage: the units


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_of_equals_the_first_in_file_order_wins_whenever_it_finished(order: list[int]) -> None:
    plan = stage_plan(SPEC, "mlp", [])
    assert plan is not None
    values = (0.5, 0.7, 0.7, 0.6)
    finished = [(plan[i], values[i]) for i in order]
    after = stage_plan(SPEC, "mlp", finished)
    assert after is not None
    assert plan[1] in after


def test_a_failed_combination_ends_but_cannot_win() -> None:
    plan = stage_plan(SPEC, "mlp", [])
    assert plan is not None
    failed: list[tuple[Params, float | None]] = [(row, None) for row in plan]
    after = stage_plan(SPEC, "mlp", failed)
    assert after is not None
    assert SPEC.families["mlp"].start in after
    some = stage_plan(SPEC, "mlp", [*failed[:3], (plan[3], 0.1)])
    assert some is not None
    assert plan[3] in some


def test_a_failure_does_not_hide_a_retry_that_finished() -> None:
    plan = stage_plan(SPEC, "mlp", [])
    assert plan is not None
    rows = [(row, 0.5) for row in plan[:3]]
    last = plan[3]
    for twice in ([(last, None), (last, 0.9)], [(last, 0.9), (last, None)]):
        after = stage_plan(SPEC, "mlp", [*rows, *twice])
        assert after is not None
        assert last in after
