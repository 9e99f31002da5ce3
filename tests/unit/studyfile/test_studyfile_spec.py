"""What a study knows about its families: spaces, configurations, budgets, and what is held."""

from typing import Any

import pytest

from blood_hpo.errors import InputError
from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile.feasibility import largest_network
from blood_hpo.studyfile.schema import StudySpec

DOCUMENT: dict[str, Any] = {
    "name": "own",
    "space": {"optimizer": ["sgd", "adam"], "batch_size": [16, 32]},
    "families": {
        "cnn": {
            "budget": 3,
            "space": {"filters": [8, 16, 32]},
            "fixed": {"kernel_size": 5, "learning_rate": 1},
        },
        "mlp": {"budget": 4, "space": {"dropout": {"low": 0.0, "high": 0.5}}},
    },
}
SPEC = StudySpec.parse(DOCUMENT, "own.toml")


def spec_with(**family: object) -> StudySpec:
    """One MLP study in which the family's table has these keys besides its space."""
    mlp = {"budget": 4, "space": {"units": [64, 128]}, **family}
    return StudySpec.parse({"name": "own", "families": {"mlp": mlp}}, "own.toml")


def test_a_space_is_the_shared_one_then_the_familys_own() -> None:
    assert list(SPEC.space("cnn")) == ["optimizer", "batch_size", "filters"]
    assert list(SPEC.space("mlp")) == ["optimizer", "batch_size", "dropout"]


def test_the_size_of_a_space() -> None:
    assert SPEC.space_size("cnn") == 2 * 2 * 3
    assert SPEC.space_size("mlp") is None


def test_a_configuration_has_defaults_fixed_and_searched_values() -> None:
    config = SPEC.config("cnn", {"optimizer": "sgd", "batch_size": 16, "filters": 8})
    assert type(config) is FAMILIES["cnn"].hyperparameters
    assert (
        config.model_dump().items()
        >= {
            "optimizer": "sgd",
            "filters": 8,
            "kernel_size": 5,
            "learning_rate": 1.0,
            "pool_size": 2,
        }.items()
    )


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "sgd", "batch_size": 16, "filters": 8, "model": "cnn"},
        {"optimizer": "sgd", "batch_size": 16, "filters": "8"},
    ],
)
def test_a_configuration_takes_what_its_family_has(params: dict[str, object]) -> None:
    with pytest.raises(InputError, match="study own: "):
        SPEC.config("cnn", params)


def test_what_is_held_is_everything_that_is_not_searched() -> None:
    held = SPEC.held("cnn")
    assert held.keys() == FAMILIES["cnn"].hyperparameters.model_fields.keys() - SPEC.space("cnn")
    assert held["kernel_size"] == 5
    assert held["pooling"] == "max"


def test_budgets_can_be_overridden() -> None:
    assert SPEC.budgets == {"cnn": 3, "mlp": 4}
    changed = SPEC.with_budgets({"mlp": 40})
    assert changed.budgets == {"cnn": 3, "mlp": 40}
    assert SPEC.budgets == {"cnn": 3, "mlp": 4}


@pytest.mark.parametrize(
    ("budgets", "expected"),
    [
        ({"mpl": 4}, 'the study has no family mpl; did you mean "mlp"?'),
        ({"resnet": 4}, "the study has no family resnet; choose one of cnn, mlp"),
        ({"mlp": 0}, "mlp takes 1 to 100000 trials, not 0"),
        ({"mlp": 100_001}, "not 100001"),
    ],
)
def test_a_wrong_budget_is_refused(budgets: dict[str, int], expected: str) -> None:
    with pytest.raises(InputError) as caught:
        SPEC.with_budgets(budgets)
    assert expected in str(caught.value)


@pytest.mark.parametrize(("budget", "expected"), [(None, 4), (3, 3)])
def test_a_grid_visits_its_whole_grid_unless_told(budget: int | None, expected: int) -> None:
    mlp = {"budget": budget, "space": {"units": [64, 128], "batch_size": {"low": 16, "high": 17}}}
    kind = {"sampler": {"name": "grid"}, "pruner": {"name": "none"}}
    document = {"name": "own", **kind, "families": {"mlp": mlp}}
    assert StudySpec.parse(document, "own.toml").budgets == {"mlp": expected}


def test_a_budget_beyond_a_staged_grid_is_measured_by_the_grid() -> None:
    family = {
        "budget": 7,
        "space": {"units": [64, 128], "batch_size": [16, 32]},
        "stages": [["units"], ["batch_size"]],
        "start": {"units": 64, "batch_size": 16},
    }
    document = {
        "name": "own",
        "sampler": {"name": "staged_grid"},
        "pruner": {"name": "none"},
        "families": {"mlp": family},
    }
    spec = StudySpec.parse(document, "own.toml")
    assert list(spec.smaller_spaces()) == [("mlp", spec.grid_size("mlp"))]
    assert spec.grid_size("mlp") < 4


@pytest.mark.parametrize("choices", [[False, True], [True, False]])
def test_the_largest_network_is_so_in_any_order_of_its_choices(choices: list[bool]) -> None:
    resnet = {"budget": 2, "space": {"dense": choices, "initial_filters": [64, 128]}}
    spec = StudySpec.parse({"name": "own", "families": {"resnet": resnet}}, "own.toml")
    counts = [
        FAMILIES["resnet"].parameter_count(spec.config("resnet", row))
        for row in spec.rows("resnet", ["dense", "initial_filters"])
    ]
    largest = max(counts)
    assert largest_network("resnet", spec.space("resnet"), {}) == largest


def test_a_network_deeper_than_any_image_is_refused() -> None:
    resnet = {"budget": 2, "space": {"blocks": {"low": 1, "high": 600}}}
    with pytest.raises(InputError, match="blocks: should be at most 10"):
        StudySpec.parse({"name": "own", "families": {"resnet": resnet}}, "own.toml")


def test_around_gives_what_is_neither_searched_nor_fixed() -> None:
    spec = spec_with(around="paper", fixed={"batch_size": 64})
    best = {"units": 1024, "batch_size": 16, "optimizer": "sgd", "learning_rate": None}
    resolved = spec.resolve_around({"mlp": best})
    family = resolved.families["mlp"]
    assert family.fixed == {"batch_size": 64, "optimizer": "sgd", "learning_rate": None}
    assert (family.around, family.fixed_from) == (None, "paper")
    assert resolved.config("mlp", {"units": 64}).optimizer == "sgd"
    assert StudySpec.parse(resolved.model_dump(mode="json"), "database") == resolved


def test_around_on_the_command_line_replaces_the_fixed_part() -> None:
    spec = spec_with(fixed={"batch_size": 64}).with_around("blood")
    assert spec.families["mlp"].around == "blood"
    assert spec.families["mlp"].fixed == {}
    with pytest.raises(InputError, match="a study's name is"):
        SPEC.with_around("No Study")


def test_a_best_configuration_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match=r"families\.mlp\.fixed\.filters: unknown key"):
        spec_with(around="paper").resolve_around({"mlp": {"filters": 8}})


def test_values_that_fit_one_by_one_but_not_together_are_refused() -> None:
    space = {"kernel_size": [3, 28], "pool_size": [1, 2]}
    document = {"name": "own", "families": {"cnn": {"budget": 1, "space": space}}}
    with pytest.raises(InputError, match=r"families\.cnn\.space: pool_size 2 exceeds the 1 x 1"):
        StudySpec.parse(document, "own.toml")


def test_schedules_of_both_kinds_are_searched_where_nothing_is_pruned() -> None:
    space = {"space": {"schedule": ["constant", "cosine"]}}
    document = DOCUMENT | {"pruner": {"name": "none"}, **space}
    assert StudySpec.parse(document, "own.toml").space_size("cnn") == 2 * 3
    same = DOCUMENT | {"space": {"schedule": ["cosine", "one_cycle"]}}
    assert StudySpec.parse(same, "own.toml").pruner.name == "median"


def test_networks_with_too_many_parameters_are_not_allowed() -> None:
    spec = spec_with(max_parameters=302_216)
    assert spec.allows("mlp", {"units": 128})
    assert spec.allows("mlp", {"units": 64})
    assert not spec_with(max_parameters=302_215).allows("mlp", {"units": 128})
    assert spec_with().allows("mlp", {"units": 128})
