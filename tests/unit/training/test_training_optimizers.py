"""Optimizers really are what the configuration names: kind, settings and arithmetic."""

from typing import Any

import keras
import numpy as np
import pytest

from blood_hpo.models.mlp import MlpHyperparameters
from blood_hpo.training import optimizers

KERAS = {
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
}


def made(*variables: Any, **config: Any) -> Any:
    return optimizers.build(MlpHyperparameters(**config), list(variables))


def step(optimizer: Any, variables: list[Any], gradient: float) -> None:
    optimizer.apply([keras.ops.full_like(one, gradient) for one in variables], variables)


@pytest.mark.parametrize("name", KERAS)
def test_defaults_are_the_librarys(name: str) -> None:
    optimizer, library = made(optimizer=name), KERAS[name]()
    assert [kind for kind in KERAS.values() if isinstance(optimizer, kind)][-1] is KERAS[name]
    given, expected = optimizer.get_config(), library.get_config()
    assert given | {"name": None} == expected | {"name": None}


def test_the_librarys_learning_rates_are_those_of_the_report() -> None:
    rates = {name: float(made(optimizer=name).learning_rate) for name in KERAS}
    assert rates == pytest.approx({"sgd": 0.01, "rmsprop": 0.001, "adam": 0.001, "adamw": 0.001})


@pytest.mark.parametrize("name", KERAS)
def test_what_is_configured_is_set(name: str) -> None:
    optimizer = made(optimizer=name, learning_rate=0.25, weight_decay=0.125)
    assert float(optimizer.learning_rate) == 0.25
    assert optimizer.weight_decay == 0.125


def library(variable: Any, **config: Any) -> Any:
    """Keras's optimizer for a configuration."""
    averaging = config.pop("averaging", 0)
    optimizer = KERAS[config.pop("optimizer")](
        **config, use_ema=bool(averaging), ema_momentum=averaging or 0.99
    )
    optimizer.build([variable])
    return optimizer


@pytest.mark.parametrize("name", KERAS)
@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.1, "weight_decay": 0.2}])
def test_steps_are_the_librarys(name: str, settings: dict[str, float]) -> None:
    rng = np.random.default_rng(4)
    start = rng.normal(size=(6, 5)).astype(np.float32)
    gradients = [rng.normal(size=(6, 5)).astype(np.float32) for _ in range(4)]
    moved = []
    for make in (made, library):
        variable = keras.Variable(start)
        optimizer = make(variable, optimizer=name, **settings)
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        moved.append(np.asarray(variable))
        assert int(optimizer.iterations) == len(gradients)
    np.testing.assert_allclose(moved[0], moved[1], rtol=1e-5, atol=1e-5)
    assert not np.allclose(moved[0], start, atol=1e-4)


def test_gradient_descent_moves_by_rate_times_gradient_after_decay() -> None:
    variable = keras.Variable(np.array([[2.0, -4.0]], np.float32))
    step(made(variable, optimizer="sgd", learning_rate=0.5, weight_decay=0.1), [variable], 1.0)
    np.testing.assert_allclose(variable, [[2.0 * 0.95 - 0.5, -4.0 * 0.95 - 0.5]], rtol=1e-6)


@pytest.mark.parametrize("name", KERAS)
def test_decay_leaves_biases_and_normalisation_alone(name: str) -> None:
    layers = [keras.layers.Conv2D(2, 3), keras.layers.BatchNormalization(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((5, 5, 1)), *layers])
    variables = model.trainable_variables
    for variable in variables:
        variable.assign(keras.ops.ones_like(variable))
    step(made(*variables, optimizer=name, learning_rate=0.5, weight_decay=0.5), variables, 0.0)
    left = {one.path.split("/", 1)[1]: float(np.mean(one)) for one in variables}
    assert {name for name, value in left.items() if value == 1} == {
        name for name in left if name.rsplit("/", 1)[1] in {"bias", "gamma", "beta"}
    }
    assert [v for n, v in left.items() if "kernel" in n] == pytest.approx([0.75, 0.75])


def test_averages_are_the_librarys() -> None:
    settings: dict[str, Any] = {"optimizer": "sgd", "learning_rate": 0.5, "averaging": 0.75}
    found = []
    for make in (made, library):
        variable = keras.Variable(np.array([[2.0, -4.0]], np.float32))
        optimizer = make(variable, **settings)
        for gradient in (1.0, -3.0, 2.0):
            step(optimizer, [variable], gradient)
        optimizer.finalize_variable_values([variable])
        found.append(np.asarray(variable))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)
