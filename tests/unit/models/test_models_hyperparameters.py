"""Configurations: what is accepted, what identifies one, and what importing them costs."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from blood_hpo.models.cnn import CnnHyperparameters
from blood_hpo.models.configuration import Configuration
from blood_hpo.models.hyperparameters import Hyperparameters, canonical_json
from blood_hpo.models.mlp import MlpHyperparameters
from blood_hpo.models.registry import FAMILIES

ACTIVE = {"activation": "relu", "dropout": 0.0}
DEFAULTS = {
    "optimizer": "adam",
    "learning_rate": None,
    "schedule": "constant",
    "weight_decay": None,
    "label_smoothing": 0.0,
    "batch_size": 32,
    "class_weights": "none",
    "averaging": 0.0,
    "augmentation": "none",
    "standardise": False,
    "units": 128,
    **ACTIVE,
}


def config_hash(family: str, config: Hyperparameters) -> str:
    return Configuration(family, config).config_hash


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"unit": 128}, "unit\n"),
        ({"units": "128"}, "valid integer"),
        ({"units": True}, "valid integer"),
        ({"units": 0}, "greater than 0"),
        ({"optimizer": "adadelta"}, "'sgd', 'rmsprop', 'adam' or 'adamw'"),
        ({"learning_rate": 0.0}, "greater than 0"),
        ({"learning_rate": float("inf")}, "finite number"),
        ({"weight_decay": -0.1}, "greater than or equal to 0"),
        ({"dropout": 1.0}, "less than 1"),
        ({"label_smoothing": 1.0}, "less than 1"),
        ({"batch_size": 1}, "greater than or equal to 2"),
        ({"standardise": 1}, "valid boolean"),
    ],
)
def test_a_bad_value_is_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        MlpHyperparameters(**given)


@pytest.mark.parametrize("pool_size", ["whole", 0, 2.5])
def test_a_pooling_window_is_a_size_or_global(pool_size: object) -> None:
    with pytest.raises(ValidationError, match="pool_size"):
        CnnHyperparameters.model_validate({"pool_size": pool_size})


def test_a_pooling_window_larger_than_the_feature_map_is_refused() -> None:
    assert CnnHyperparameters(kernel_size=7, pool_size=22).pool_size == 22
    with pytest.raises(ValidationError, match="22 x 22 feature map"):
        CnnHyperparameters(kernel_size=7, pool_size=23)


def test_a_configuration_survives_json() -> None:
    config = CnnHyperparameters(pool_size="global", learning_rate=1, dropout=0.5)
    stored = config.model_dump(mode="json")
    assert CnnHyperparameters.model_validate(stored) == config
    assert stored["learning_rate"] == 1.0
    assert stored["pool_size"] == "global"


def test_the_hash_knows_family_and_values_but_not_spelling() -> None:
    default = config_hash("mlp", MlpHyperparameters())
    assert default == config_hash("mlp", MlpHyperparameters(units=128, learning_rate=None))
    assert default != config_hash("cnn", MlpHyperparameters())
    one = config_hash("mlp", MlpHyperparameters(learning_rate=1))
    assert one == config_hash("mlp", MlpHyperparameters(learning_rate=1.0))


def test_hashes_never_change() -> None:
    # Seeds derive from them: with another hash, no trial of an older version could be replayed.
    assert config_hash("mlp", MlpHyperparameters()) == "0c800fcc2fac7ebe"
    config = CnnHyperparameters(filters=8, learning_rate=0.01, optimizer="sgd", pool_size="global")
    assert config_hash("cnn", config) == "81400f7da248f37c"


@pytest.mark.parametrize(
    ("name", "config", "expected"),
    [
        (
            "mlp",
            {
                "units": 1024,
                "dropout": 0.5,
                "optimizer": "adamw",
                "learning_rate": 0.002,
                "weight_decay": 0.1,
                "schedule": "cosine",
                "averaging": 0.998,
                "augmentation": "symmetries",
                "standardise": True,
                "batch_size": 64,
                "label_smoothing": 0.05,
            },
            "2731bf5462516e56",
        ),
        ("cnn", {}, "7230ca05f7f6c35c"),
        (
            "cnn",
            {
                "filters": 128,
                "kernel_size": 5,
                "pool_size": 3,
                "pooling": "mean",
                "activation": "tanh",
                "class_weights": "balanced",
            },
            "2162e33e7dbeade5",
        ),
        (
            "cnn",
            {"pool_size": "global", "dropout": 0.3, "optimizer": "rmsprop"},
            "70955fe8b92d2a71",
        ),
        ("resnet", {}, "7525539f3d877603"),
        (
            "resnet",
            {
                "initial_filters": 80,
                "blocks": 2,
                "convolutions_per_block": 2,
                "dense": False,
                "optimizer": "adamw",
                "schedule": "one_cycle",
                "augmentation": "symmetries_shifts",
            },
            "79c2ecde96cf2a19",
        ),
    ],
)
def test_hashes_from_before_mixing_and_normalisation_stay(
    name: str, config: dict[str, Any], expected: str
) -> None:
    # Printed by the program before these hyperparameters were added.
    assert config_hash(name, FAMILIES[name].hyperparameters(**config)) == expected


def test_new_hyperparameters_change_the_hash_only_when_used() -> None:
    off: dict[str, Any] = {"mixing": "none", "mixing_strength": 1.0, "batch_normalisation": False}
    assert config_hash("mlp", MlpHyperparameters(**off)) == "0c800fcc2fac7ebe"
    used: dict[str, Any] = {"mixing": "cutmix", "batch_normalisation": True, "input_dropout": 0.1}
    for name, value in used.items():
        assert config_hash("mlp", MlpHyperparameters(**{name: value})) != "0c800fcc2fac7ebe"


def test_defaults_never_change() -> None:
    # A hash leaves defaults out: with another default, one hash would name two configurations.
    assert DEFAULTS.items() <= MlpHyperparameters().model_dump().items()
    assert {
        "kernel_size": 3,
        "filters": 32,
        "pool_size": 2,
        "pooling": "max",
        **ACTIVE,
    }.items() <= (CnnHyperparameters().model_dump().items())


def test_a_new_hyperparameter_changes_no_hash() -> None:
    class Extended(MlpHyperparameters):
        layers: int = 1

    assert config_hash("mlp", Extended(units=7)) == config_hash("mlp", MlpHyperparameters(units=7))
    assert config_hash("mlp", Extended(layers=2)) != config_hash("mlp", MlpHyperparameters())


@given(st.integers(1, 9), st.integers(1, 9), st.floats(0, 0.9), st.floats(0, 0.9), st.booleans())
def test_equal_hashes_mean_equal_configurations(
    a: int, b: int, c: float, d: float, standardise: bool
) -> None:
    left = MlpHyperparameters(units=a, dropout=c, standardise=standardise)
    right = MlpHyperparameters(units=b, dropout=d, standardise=standardise)
    assert (config_hash("mlp", left) == config_hash("mlp", right)) == (left == right)


def test_canonical_json_refuses_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"loss": float("nan")})


def test_every_family_adds_to_the_common_hyperparameters() -> None:
    common = set(Hyperparameters.model_fields)
    for one in FAMILIES.values():
        assert common < set(one.hyperparameters.model_fields)


def test_describing_a_model_loads_no_deep_learning_library() -> None:
    script = (
        "import sys; import blood_hpo.models.registry; import blood_hpo.training.seeds;"
        "print([m for m in ('keras', 'tensorflow', 'sklearn', 'optuna') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
