"""The networks: identity with the report's, and the shapes that each hyperparameter makes."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from blood_hpo.models.registry import FAMILIES


def built(name: str, **config: Any) -> Any:
    chosen = FAMILIES[name]
    return chosen.build(chosen.hyperparameters(**config))


def count(variables: list[Any]) -> int:
    return sum(int(np.prod(variable.shape)) for variable in variables)


NORMALISED = {"filters": 128, "batch_normalisation": True}


@pytest.mark.parametrize(
    ("name", "config", "trainable", "fixed"),
    [
        ("mlp", {"units": 128}, 302_216, 0),
        ("mlp", {"units": 100}, 236_108, 0),
        ("cnn", {"filters": 128}, 176_648, 0),
        ("cnn", {"filters": 32}, 44_168, 0),
        ("cnn", {"filters": 10}, 13_808, 0),
        ("cnn", {"filters": 16, "pool_size": "global"}, 448 + 17 * 8, 0),
        ("mlp", {"units": 1024, "batch_normalisation": True}, 2_418_696, 2_048),
        ("cnn", {**NORMALISED, "kernel_size": 5, "pool_size": 3}, 75_400, 256),
        ("cnn", {**NORMALISED, "kernel_size": 4, "pool_size": "global"}, 7_432, 256),
        ("resnet", {"skip_normalisation": True}, 1_958_536, 3_200),
        ("resnet", {}, 1_957_768, 2_432),
        ("resnet", {"convolutions_per_block": 4}, 2_696_200, 3_200),
        ("resnet", {"dense": False}, 1_891_976, 2_432),
    ],
)
def test_parameter_counts_are_the_reports(
    name: str, config: dict[str, Any], trainable: int, fixed: int
) -> None:
    model = built(name, **config)
    assert count(model.trainable_variables) == trainable
    assert count(model.non_trainable_variables) == fixed


@pytest.mark.parametrize("batch_normalisation", [False, True])
@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("mlp", {"units": 10, "input_dropout": 0.1}),
        *(
            ("cnn", {"filters": 3, "kernel_size": kernel, "pool_size": pool, "dropout": 0.2})
            for kernel in (1, 4, 7)
            for pool in (1, 3, 5, "global")
        ),
        ("resnet", {}),
        ("resnet", {"initial_filters": 5, "blocks": 3, "dropout": 0.2, "skip_dropout": 0.1}),
        ("resnet", {"initial_filters": 4, "convolutions_per_block": 1, "dense": False}),
    ],
)
def test_parameters_are_counted_without_building_the_network(
    name: str, config: dict[str, Any], batch_normalisation: bool
) -> None:
    key = "skip_normalisation" if name == "resnet" else "batch_normalisation"
    chosen = FAMILIES[name]
    hyperparameters = chosen.hyperparameters(**config | {key: batch_normalisation})
    model = chosen.build(hyperparameters)
    assert chosen.parameter_count(hyperparameters) == count(model.trainable_variables)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("mlp", {"dropout": 0.5}),
        ("cnn", {"kernel_size": 7, "pool_size": 5, "pooling": "mean", "dropout": 0.5}),
        ("cnn", {"pool_size": "global", "pooling": "max", "activation": "tanh"}),
        ("resnet", {"initial_filters": 2, "blocks": 3}),
        ("resnet", {"initial_filters": 2, "skip_normalisation": True, "skip_dropout": 0.5}),
    ],
)
def test_networks_map_images_to_eight_logits(name: str, config: dict[str, Any]) -> None:
    model = built(name, **config)
    assert model.input_shape == (None, 28, 28, 3)
    logits = np.asarray(model(np.random.default_rng(0).normal(size=(5, 28, 28, 3))))
    assert logits.shape == (5, 8)
    assert not np.allclose(logits.sum(axis=1), 1)


def test_the_skip_path_of_a_residual_block_has_no_batch_normalisation() -> None:
    model = built("resnet")
    kinds = Counter(type(layer).__name__ for layer in model.layers)
    assert (kinds["Conv2D"], kinds["BatchNormalization"], kinds["Add"]) == (9, 7, 2)
    skips = [one for one in model.layers if getattr(one, "kernel_size", None) == (1, 1)]
    assert [one.strides for one in skips] == [(2, 2), (2, 2)]
    assert [one.output.shape[1:] for one in skips] == [(15, 15, 128), (8, 8, 256)]


@pytest.mark.parametrize(("pooling", "reduce"), [("max", np.max), ("mean", np.mean)])
def test_global_pooling_covers_the_whole_feature_map(pooling: str, reduce: Any) -> None:
    model = built("cnn", filters=3, pool_size="global", pooling=pooling)
    images = np.random.default_rng(1).normal(size=(2, 28, 28, 3)).astype(np.float32)
    maps = np.asarray(model.layers[0](images))
    pooled = np.asarray(model.layers[1](maps))
    np.testing.assert_allclose(pooled, reduce(maps, axis=(1, 2)), rtol=1e-5, atol=1e-6)
