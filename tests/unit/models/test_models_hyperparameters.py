"""Configurations: what is accepted, what identifies one, and what importing them costs."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from blood_hpo.errors import InputError
from blood_hpo.models.cnn import CnnHyperparameters
from blood_hpo.models.hyperparameters import Hyperparameters, canonical_json, config_hash
from blood_hpo.models.mlp import MlpHyperparameters
from blood_hpo.models.registry import FAMILIES, family


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
        ({"batch_size": 0}, "greater than 0"),
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


def test_the_hash_counts_defaults_and_family_but_not_spelling() -> None:
    default = config_hash("mlp", MlpHyperparameters())
    assert default == config_hash("mlp", MlpHyperparameters(units=128, learning_rate=None))
    assert default != config_hash("cnn", MlpHyperparameters())
    one = config_hash("mlp", MlpHyperparameters(learning_rate=1))
    assert one == config_hash("mlp", MlpHyperparameters(learning_rate=1.0))


def test_the_hash_is_the_same_on_every_machine() -> None:
    assert config_hash("mlp", MlpHyperparameters()) == "8d78e843a0795115"


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


@pytest.mark.parametrize(
    ("name", "hint"), [("cn", "'cnn'"), ("Resnet", "'resnet'"), ("svm", "mlp, cnn")]
)
def test_an_unknown_family_is_answered_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        family(name)


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
