"""The faster network: the same variables, logits, gradients and moving statistics."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from blood_hpo.models.registry import FAMILIES
from blood_hpo.training.fused import fused

CNN: list[dict[str, Any]] = [
    {"filters": 5, "activation": "relu"},
    {"filters": 5, "activation": "tanh", "kernel_size": 5, "pool_size": 4, "dropout": 0.0},
    {"filters": 5, "pool_size": "global"},
    {"filters": 5, "pooling": "mean"},
]


def pair(network: Any) -> tuple[Any, Any]:
    """The network and its faster equal, with equal variables that are nowhere zero."""
    twin, rng = fused(network), np.random.default_rng(0)
    for ours, theirs in zip(twin.variables, network.variables, strict=True):
        assert ours.shape == theirs.shape
        theirs.assign(theirs + rng.uniform(0.01, 0.1, theirs.shape).astype(theirs.dtype))
        ours.assign(theirs)
    return twin, network


def images(count: int) -> Any:
    return np.random.default_rng(1).normal(size=(count, 28, 28, 3)).astype(np.float32)


def gradients(network: Any, inputs: Any) -> tuple[Any, list[Any]]:
    """Logits in training, and the gradients of their squares."""
    with tf.GradientTape() as tape:
        logits = network(inputs, training=True)
        loss = tf.reduce_mean(tf.square(logits))
    weights = [variable.value for variable in network.trainable_variables]
    return np.asarray(logits), tape.gradient(loss, weights)


@pytest.mark.parametrize("config", CNN)
def test_pooling_first_leaves_every_bit_of_the_logits(config: dict[str, Any]) -> None:
    twin, network = pair(FAMILIES["cnn"].build(FAMILIES["cnn"].hyperparameters(**config)))
    (ours, our_gradients), (theirs, gradient) = (gradients(n, images(9)) for n in (twin, network))
    np.testing.assert_array_equal(ours, theirs)
    for one, other in zip(our_gradients, gradient, strict=True):
        scale = np.abs(other).max()
        np.testing.assert_allclose(one / scale, other / scale, atol=2e-6)


def test_pooling_comes_first_only_where_the_activation_allows_it() -> None:
    def layers_of(activation: str) -> list[str]:
        chain = [layers.Conv2D(2, 3, activation=activation), layers.MaxPooling2D()]
        network = fused(keras.Sequential([keras.Input((28, 28, 3)), *chain]))
        return [type(layer).__name__ for layer in network.layers]

    assert layers_of("relu") == ["_PooledConvolution", "Identity"]
    assert layers_of("silu") == ["Conv2D", "MaxPooling2D"]


@pytest.mark.parametrize("shape", [(6, 5, 4, 3), (40, 3), (1, 3)])
def test_fused_batch_normalisation_is_keras_batch_normalisation(shape: tuple[int, ...]) -> None:
    twin, network = pair(
        keras.Sequential([keras.Input(shape[1:]), layers.BatchNormalization(momentum=0.9)])
    )
    inputs = 3 + 2 * np.random.default_rng(2).normal(size=shape).astype(np.float32)
    for _ in range(2):
        ours, our_gradients = gradients(twin, inputs)
        theirs, gradient = gradients(network, inputs)
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
        for one, other in zip(our_gradients, gradient, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    for one, other in zip(twin.variables, network.variables, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(twin(inputs), network(inputs))


def test_a_strided_convolution_of_single_pixels_stays_the_same() -> None:
    strided = layers.Conv2D(4, 1, strides=2, padding="same", activation="relu")
    for side in (28, 29):
        twin, network = pair(keras.Sequential([keras.Input((side, side, 3)), strided]))
        inputs = np.random.default_rng(3).normal(size=(5, side, side, 3)).astype(np.float32)
        np.testing.assert_allclose(twin(inputs), network(inputs), rtol=1e-5, atol=1e-6)


def test_a_residual_network_stays_the_same_network() -> None:
    settings: dict[str, Any] = {"initial_filters": 8, "blocks": 1}
    config = FAMILIES["resnet"].hyperparameters(**settings)
    twin, network = pair(FAMILIES["resnet"].build(config))
    kinds = {type(layer).__name__ for layer in twin.layers}
    assert kinds >= {"_FusedNormalisation", "_PixelConvolution"}
    (ours, _), (theirs, _) = (gradients(n, images(9)) for n in (twin, network))
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
