"""The compiled epoch: equal to Keras's own training, traced once, and gone when closed."""

import gc
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from tensorflow.python.framework.func_graph import FuncGraph

from blood_hpo.models.registry import FAMILIES
from blood_hpo.training.epoch import CompiledNetwork
from blood_hpo.training.mixing import mixing_masks

Data = tuple[NDArray[np.uint8], NDArray[np.uint8]]

TINY: dict[str, dict[str, Any]] = {
    "mlp": {"units": 8},
    "cnn": {"filters": 4},
    # Keras's own strided convolution needs eight filters: see blood_hpo.training.fused.
    "resnet": {"initial_filters": 8, "blocks": 1, "convolutions_per_block": 2},
}
KERAS = {
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
}


def configured(name: str, **config: Any) -> Any:
    return FAMILIES[name].hyperparameters(**TINY[name] | config)


def constant(network: CompiledNetwork, count: int) -> NDArray[np.float32]:
    steps = -(-count // network.config.batch_size)
    return np.full(steps, network.learning_rate, np.float32)


def keras_epoch(name: str, config: Any, state: Any, data: Data, order: Any) -> tuple[Any, float]:
    """One epoch of `keras.Model.fit` over the images in the given order; model and loss."""
    model = FAMILIES[name].build(config)
    for variable, value in zip(model.variables, state.weights, strict=True):
        variable.assign(value)
    given = config.model_dump(include={"learning_rate", "weight_decay"}, exclude_none=True)
    optimizer = KERAS[config.optimizer](**given)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=config.label_smoothing
        ),
    )
    images, labels = data[0][order] / np.float32(255), data[1][order]
    counts = np.bincount(labels, minlength=8)
    weights = (
        dict(enumerate(len(labels) / (8 * counts))) if config.class_weights != "none" else None
    )
    past = model.fit(
        images,
        np.eye(8, dtype=np.float32)[labels],
        batch_size=config.batch_size,
        class_weight=weights,
        shuffle=False,
        verbose=0,
    )
    return model, past.history["loss"][0]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mlp", {"batch_size": 16}),
        ("mlp", {"batch_size": 7, "optimizer": "sgd", "class_weights": "balanced"}),
        ("cnn", {"batch_size": 64, "optimizer": "rmsprop", "label_smoothing": 0.3}),
        ("cnn", {"batch_size": 32, "optimizer": "adamw", "learning_rate": 0.002}),
        ("resnet", {"batch_size": 32, "optimizer": "sgd", "weight_decay": 0.1}),
    ],
)
def test_an_epoch_equals_keras_fit(name: str, settings: dict[str, Any], data: Data) -> None:
    config = configured(name, **settings)
    network = CompiledNetwork(name, config, *data)
    state, order = network.initial_state(11), np.random.default_rng(0).permutation(120)[:103]
    network.load(state)
    preparation = network.preparation(order)
    loss, _ = network.train_epoch(preparation, order, constant(network, 103), 0)
    model, expected = keras_epoch(name, config, state, data, order)
    assert loss == pytest.approx(expected, rel=1e-5)
    weights: Sequence[Any] = network.state().weights
    for ours, theirs in zip(weights, model.variables, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=5e-5)


def test_the_training_accuracy_is_that_of_the_forward_passes(data: Data) -> None:
    network = CompiledNetwork("mlp", configured("mlp", batch_size=200), *data)
    network.load(network.initial_state(1))
    order = np.arange(120)
    preparation = network.preparation(order)
    before = network.predict(preparation, order)
    loss, accuracy = network.train_epoch(preparation, order, constant(network, 120), 0)
    assert accuracy == pytest.approx(np.mean(before.argmax(axis=1) == data[1]))
    assert loss == pytest.approx(-np.log(before[order, data[1]]).mean(), rel=1e-4)


@pytest.mark.parametrize("mixing", ["mixup", "cutmix"])
def test_a_mixed_batch_is_learned_with_mixed_labels(mixing: str, data: Data) -> None:
    config = configured("mlp", batch_size=120, mixing=mixing, class_weights="balanced")
    network = CompiledNetwork("mlp", config, *data)
    network.load(network.initial_state(1))
    order = np.arange(120)
    preparation = network.preparation(order)
    model = FAMILIES["mlp"].build(config)
    for variable, value in zip(model.variables, network.state().weights, strict=True):
        variable.assign(value)
    loss, accuracy = network.train_epoch(preparation, order, constant(network, 120), 5)
    (mask,) = mixing_masks(config, 1, 5)
    images, one_hot = data[0] / np.float32(255), np.eye(8)[data[1]]
    probabilities = np.asarray(keras.ops.softmax(model(mask * images + (1 - mask) * images[::-1])))
    share, weights = mask.mean(), preparation.class_weights[data[1]]
    weighted = one_hot * weights[:, None]
    targets = share * weighted + (1 - share) * weighted[::-1]
    assert loss == pytest.approx(-(targets * np.log(probabilities)).sum(axis=1).mean(), rel=1e-4)
    expected = np.mean(probabilities.argmax(axis=1) == targets.argmax(axis=1))
    assert accuracy == pytest.approx(expected, abs=0.02)


def test_learning_rates_are_those_passed_in(data: Data) -> None:
    network = CompiledNetwork("mlp", configured("mlp", optimizer="sgd"), *data)
    state, order = network.initial_state(2), np.arange(120)
    network.load(state)
    network.train_epoch(network.preparation(order), order, np.zeros(4, np.float32), 0)
    for before, after in zip(state.weights, network.state().weights, strict=True):
        np.testing.assert_array_equal(before, after)


def test_probabilities_are_in_the_order_asked_for(data: Data) -> None:
    many = (np.tile(data[0], (3, 1, 1, 1)), np.tile(data[1], 3))
    network = CompiledNetwork("cnn", configured("cnn", standardise=True), *many)
    network.load(network.initial_state(3))
    preparation = network.preparation(np.arange(360))
    whole = network.predict(preparation, np.arange(360))
    assert (whole.shape, whole.dtype) == ((360, 8), np.dtype(np.float32))
    np.testing.assert_allclose(whole.sum(axis=1), 1, rtol=1e-5)
    some = np.array([300, 7, 7, 299])
    np.testing.assert_allclose(network.predict(preparation, some), whole[some], rtol=1e-4)
    assert network.predict(preparation, np.empty(0, np.int64)).shape == (0, 8)


def test_one_trace_serves_all_folds_and_epochs(data: Data) -> None:
    network = CompiledNetwork("cnn", configured("cnn", augmentation="flips_rotation"), *data)
    for seed, count in enumerate((120, 97, 64, 33)):
        network.load(network.initial_state(seed))
        order = np.arange(count)
        rates = constant(network, count)
        network.train_epoch(network.preparation(order), order, rates, seed)
    assert network._train.experimental_get_tracing_count() == 1


def test_averaged_weights_are_measured_on_images_of_all_classes() -> None:
    """A file may be sorted by class, and the first images that are measured be of one alone."""
    labels = np.arange(8, dtype=np.uint8).repeat(512)
    images = np.broadcast_to(labels[:, None, None, None] * 30, (4096, 28, 28, 3)).astype(np.uint8)
    config = configured("mlp", batch_normalisation=True, averaging=0.9)
    network = CompiledNetwork("mlp", config, images, labels)
    some, measured = np.arange(0, 4096, 128), []
    preparation = network.preparation(some)
    for order in (np.arange(4096), np.random.default_rng(4).permutation(4096)):
        network.load(network.initial_state(1))
        network.train_epoch(preparation, some, constant(network, 32), 0)
        network.settled(network.state(), preparation, order)
        moving = [one for one in network._model.variables if "moving" in one.path]
        measured.append([one.value.numpy() for one in moving])
    for ours, theirs in zip(*measured, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0.1, atol=0.01)


def test_initial_states_follow_the_seed(data: Data) -> None:
    network = CompiledNetwork("mlp", configured("mlp", dropout=0.5), *data)
    first, again, other = (network.initial_state(seed).weights for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_a_loaded_state_does_not_follow_later_training(data: Data) -> None:
    network = CompiledNetwork("mlp", configured("mlp"), *data)
    order = np.arange(120)
    network.load(network.initial_state(1))
    kept = network.state()
    copies = [array.copy() for array in kept.weights + kept.optimizer]
    network.train_epoch(network.preparation(order), order, constant(network, 120), 0)
    for array, copy in zip(kept.weights + kept.optimizer, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert not np.array_equal(network.state().weights[0], copies[0])


def test_closed_networks_leave_no_graph_behind(data: Data) -> None:
    def graphs() -> int:
        gc.collect()
        return sum(isinstance(one, FuncGraph) for one in gc.get_objects())

    def trained(optimizer: str) -> CompiledNetwork:
        network = CompiledNetwork("mlp", configured("mlp", optimizer=optimizer), *data)
        order = np.arange(120)
        network.train_epoch(network.preparation(order), order, constant(network, 120), 0)
        network.predict(network.preparation(order), order)
        return network

    before = graphs()
    networks = [trained(optimizer) for optimizer in KERAS]
    assert graphs() > before
    for network in networks:
        network.close()
    assert graphs() == before
