"""Which models are trained in the end, and under which rules."""

from dataclasses import fields
from typing import Any

import pytest

from blood_hpo.database.record import TrialRecord
from blood_hpo.final.plan import RECIPES, plan
from blood_hpo.models.configuration import Configuration
from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.training.fold_result import Rules


def spec(final: dict[str, Any] | None, *families: str) -> StudySpec:
    space = {"space": {"batch_size": [16, 32]}, "budget": 3}
    document: dict[str, Any] = {"name": "own", "families": dict.fromkeys(families, space)}
    if final is not None:
        document["final"] = final
    return StudySpec.parse(document, "test")


def winners(**configs: dict[str, Any]) -> list[TrialRecord]:
    return [
        record(number, family, Configuration.of(family, values))
        for number, (family, values) in enumerate(configs.items())
    ]


def record(number: int, family: str, found: Configuration) -> TrialRecord:
    values: dict[str, Any] = {one.name: None for one in fields(TrialRecord)}
    values |= {"number": number, "family": family, "params": {}, "config": found.document}
    return TrialRecord(**values)


def test_the_winner_of_each_family_and_the_recommended_resnet() -> None:
    found = plan(spec(None, "cnn", "mlp"), winners(cnn={"filters": 8}, mlp={"units": 9}))
    assert [(one.configuration.family, one.recipe, one.source_number) for one in found[::3]] == [
        ("mlp", "winner", 1),
        ("cnn", "winner", 0),
        ("resnet", "recommended", None),
    ]
    assert found[0].configuration.document["units"] == 9
    assert [one.replicate for one in found] == [1, 2, 3] * 3
    assert len({one.seed for one in found}) == 9
    assert found[0].rules == found[3].rules == Rules(epochs=200, patience=20, start_epoch=30)


def test_another_length_is_another_training_and_the_seeds_stay_as_they_were() -> None:
    seeds = [
        plan(spec({"epochs": epochs, "seeds": 1, "resnet": "none"}, "mlp"), winners(mlp={}))[0].seed
        for epochs in (200, 120)
    ]
    assert seeds == [2878668288, 1638912914]


def test_a_schedule_with_an_end_is_stretched_and_not_stopped() -> None:
    confirmed = winners(mlp={"schedule": "cosine"})
    final = {"epochs": 120, "resnet_epochs": 40, "seeds": 1}
    mlp, resnet = plan(spec(final, "mlp"), confirmed)
    assert mlp.rules == Rules(epochs=120, patience=120, start_epoch=30)
    assert resnet.rules == Rules(epochs=40, patience=40, start_epoch=20)
    (_, recommended) = plan(spec({"seeds": 1}, "mlp"), confirmed)
    assert recommended.rules == Rules(epochs=24, patience=24, start_epoch=12)


def test_the_reports_resnet_follows_the_reports_rules() -> None:
    report = {"resnet": "report", "seeds": 1}
    (_, resnet) = plan(spec(report, "mlp"), winners(mlp={}))
    assert resnet.rules == Rules(epochs=200, patience=20, start_epoch=30)
    assert (
        resnet.configuration.document.items()
        >= {
            "optimizer": "adam",
            "learning_rate": 0.001,
            "batch_size": 32,
            "augmentation": "flips_rotation",
            "schedule": "constant",
            "blocks": 2,
            "initial_filters": 64,
        }.items()
    )
    (_, short) = plan(spec({**report, "resnet_epochs": 12}, "mlp"), winners(mlp={}))
    assert short.rules == Rules(epochs=12, patience=20, start_epoch=11)


def test_a_searched_resnet_takes_the_place_of_a_recipe() -> None:
    final = {"resnet": "report", "seeds": 1}
    (found,) = plan(spec(final, "resnet"), winners(resnet={"blocks": 1}))
    assert (found.recipe, found.configuration.document["blocks"]) == ("winner", 1)


def test_no_resnet_where_none_is_wanted() -> None:
    found = plan(spec({"resnet": "none"}, "mlp"), winners(mlp={}))
    assert [one.configuration.family for one in found] == ["mlp"] * 3


@pytest.mark.parametrize("recipe", RECIPES)
def test_both_recipes_have_the_same_blocks(recipe: str) -> None:
    blocks = {"initial_filters", "blocks", "convolutions_per_block", "dense", "activation"}
    config = RECIPES[recipe].model_dump(include=blocks)
    assert config == FAMILIES["resnet"].hyperparameters().model_dump(include=blocks)
