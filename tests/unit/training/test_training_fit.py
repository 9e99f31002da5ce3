"""A fit: learns, keeps its best epoch, resumes bit for bit, and repeats in any process."""

import hashlib
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from blood_hpo.errors import BloodHpoError, NonFiniteLoss
from blood_hpo.metrics import Objective, log_loss, score
from blood_hpo.models.registry import FAMILIES
from blood_hpo.training.epoch import CompiledNetwork
from blood_hpo.training.fit import Fit
from blood_hpo.training.fold_result import Rules

Data = tuple[NDArray[np.uint8], NDArray[np.uint8]]

RULES = Rules(epochs=9, patience=2, start_epoch=2)
TRAIN, VALIDATION, HELD_OUT = np.arange(70), np.arange(70, 95), np.arange(95, 120)
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "dropout, symmetries, cosine": (
        "mlp",
        {"units": 8, "dropout": 0.4, "augmentation": "symmetries", "schedule": "cosine"},
    ),
    "dropout, rotation, averaged weights": (
        "cnn",
        {"filters": 3, "dropout": 0.4, "augmentation": "flips_rotation", "averaging": 0.9},
    ),
    "batch normalisation, cutmix": (
        "mlp",
        {"units": 8, "batch_normalisation": True, "input_dropout": 0.2, "mixing": "cutmix"},
    ),
    "batch normalisation, standardised, averaged weights": (
        "resnet",
        {
            "initial_filters": 2,
            "blocks": 1,
            "convolutions_per_block": 1,
            "standardise": True,
            "averaging": 0.9,
        },
    ),
}


COMPILED: dict[str, CompiledNetwork] = {}
"""By configuration: to trace one takes longer than to train it, and fits share it anyhow."""


def compiled(data: Data, name: str, **config: Any) -> CompiledNetwork:
    key = f"{name} {sorted(config.items())}"
    if key not in COMPILED:
        COMPILED[key] = fresh(data, name, **config)
    return COMPILED[key]


def fresh(data: Data, name: str, **config: Any) -> CompiledNetwork:
    return CompiledNetwork(name, FAMILIES[name].hyperparameters(**config), *data)


def begun(
    network: CompiledNetwork,
    rules: Rules = RULES,
    seed: int = 1,
    objective: Objective = "accuracy",
) -> Fit:
    return Fit(network, TRAIN, VALIDATION, HELD_OUT, rules, objective, seed)


def trained(fit: Fit, epochs: int) -> Fit:
    for _ in range(epochs):
        fit.advance()
    return fit


def fingerprint(fit: Fit) -> str:
    """A hash over every bit of a fit's state."""
    digest = hashlib.sha256()
    for name, array in sorted(fit.state().items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def fingerprints(data: Data) -> list[str]:
    """Of all cases after two epochs; called in this process and in another."""
    networks = [compiled(data, name, **config) for name, config in CASES.values()]
    return [fingerprint(trained(begun(network), 2)) for network in networks]


def test_it_learns_what_can_be_learned(data: Data) -> None:
    rules = Rules(epochs=40, patience=40, start_epoch=0)
    fit = begun(
        compiled(data, "mlp", units=32, standardise=True, batch_size=8),
        rules,
        objective="balanced_accuracy",
    )
    while not fit.stopped and max(fit.history.score, default=0) < 0.9:
        fit.advance()
    assert fit.history.score[-1] >= 0.9
    assert fit.history.train_loss[-1] < 0.5 * fit.history.train_loss[0]


def test_it_stops_and_keeps_the_best_watched_epoch(data: Data) -> None:
    network = compiled(data, "cnn", filters=2, optimizer="sgd", learning_rate=1e-7)
    fit = begun(network)
    bests = []
    while not fit.stopped:
        fit.advance()
        bests.append(fit.best_epoch)
    # So small a rate changes no prediction: the first watched epoch stays the best.
    assert bests == [1, 2, 3, 3, 3]
    assert fit.score == fit.history.score[2] == fit.history.kept[-1]


def test_what_is_kept_belongs_to_the_best_epoch(data: Data) -> None:
    network = compiled(data, "mlp", units=32, learning_rate=0.01, standardise=True)
    rules = Rules(epochs=12, patience=12, start_epoch=0)
    fit, weights = begun(network, rules), []
    while not fit.stopped:
        fit.advance()
        weights.append(network.state().weights)
    best = fit.best_epoch
    assert fit.epoch == 12
    assert best == 1 + int(np.argmax(fit.history.validation)) < 12
    assert all(map(np.array_equal, fit.best_weights, weights[best - 1]))
    kept = score("accuracy", data[1][HELD_OUT], fit.held_out_probabilities)
    assert kept == fit.score == fit.history.score[best - 1]


def test_averaged_weights_are_kept_and_training_goes_on_from_the_others(data: Data) -> None:
    rules = Rules(epochs=4, patience=4, start_epoch=4)
    settings: dict[str, Any] = {"units": 8, "batch_size": 70, "learning_rate": 0.01}
    plain = begun(compiled(data, "mlp", **settings), rules)
    averaged = begun(compiled(data, "mlp", averaging=0.75, **settings), rules)
    average: Any = None
    for _ in range(4):  # One step an epoch.
        plain.advance()
        averaged.advance()
        now = plain.best_weights[0].astype(np.float64)
        average = now if average is None else 0.75 * average + 0.25 * now
        kept: Any = averaged.best_weights[0]
        np.testing.assert_allclose(kept, average, rtol=1e-5, atol=1e-6)
    assert averaged.history.train_loss == plain.history.train_loss
    assert not np.allclose(averaged.best_weights[0], plain.best_weights[0], atol=1e-3)


def test_averaged_weights_have_the_statistics_of_their_own_features(data: Data) -> None:
    config: dict[str, Any] = {"initial_filters": 8, "blocks": 1, "convolutions_per_block": 1}
    config["averaging"] = 0.9
    network = compiled(data, "resnet", **config, learning_rate=0.01, batch_size=10)
    fit = trained(begun(network), 3)
    model = FAMILIES["resnet"].build(FAMILIES["resnet"].hyperparameters(**config))
    for variable, value in zip(model.variables, fit.best_weights, strict=True):
        variable.assign(value)
    # The first normalisation sees the same features in both; there is but one batch of images.
    before = keras.Model(model.inputs[0], model.layers[2].output)
    features = np.asarray(before(data[0][TRAIN] / np.float32(255)), np.float64)
    layer = model.layers[3]
    np.testing.assert_allclose(layer.moving_mean, features.mean(axis=(0, 1, 2)), rtol=1e-3)
    np.testing.assert_allclose(layer.moving_variance, features.var(axis=(0, 1, 2)), rtol=1e-3)


def test_a_schedule_with_an_end_is_never_cut(data: Data) -> None:
    for schedule, epochs in (("constant", 5), ("cosine", 9), ("one_cycle", 9)):
        settings = {"optimizer": "sgd", "learning_rate": 1e-7, "schedule": schedule}
        fit = begun(compiled(data, "cnn", filters=2, **settings))
        while not fit.stopped:
            fit.advance()
        assert (fit.epoch, fit.best_epoch) == (epochs, 3)


def test_without_scored_images_the_validation_split_is_the_score(data: Data) -> None:
    network = compiled(data, "mlp", units=8)
    fit = trained(Fit(network, TRAIN, VALIDATION, None, RULES, "accuracy", 1), 2)
    assert fit.score == fit.history.validation[1]
    assert fit.history.score == []
    assert fit.held_out_probabilities.shape == (0, 8)


def test_the_history_watches_the_validation_split_in_three_ways(data: Data) -> None:
    rules = Rules(epochs=3, patience=3, start_epoch=0)
    fit = Fit(
        compiled(data, "mlp", units=32),
        TRAIN,
        VALIDATION,
        VALIDATION,
        rules,
        "balanced_accuracy",
        1,
    )
    trained(fit, 3)
    history, best = fit.history, fit.best_epoch - 1
    labels, kept = data[1][VALIDATION], fit.held_out_probabilities
    assert history.validation[best] == score("balanced_accuracy", labels, kept)
    assert history.validation_accuracy[best] == score("accuracy", labels, kept)
    assert history.validation_loss[best] == pytest.approx(log_loss(labels, kept), rel=1e-6)
    assert len(history.validation_loss) == len(history.kept) == fit.epoch == 3


def test_scored_images_steer_nothing(data: Data) -> None:
    network = compiled(data, "mlp", units=8, standardise=True, class_weights="balanced")
    with_scores = trained(begun(network), 4)
    without = trained(Fit(network, TRAIN, VALIDATION, None, RULES, "accuracy", 1), 4)
    assert with_scores.history.validation == without.history.validation
    assert all(map(np.array_equal, with_scores.best_weights, without.best_weights))


def test_every_epoch_sees_the_images_of_training_in_an_order_of_its_own(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, orders = compiled(data, "mlp", units=8), []
    epoch = network.train_epoch

    def kept(preparation: Any, order: NDArray[np.int64], *others: Any) -> tuple[float, float]:
        orders.append(order)
        return epoch(preparation, order, *others)

    monkeypatch.setattr(network, "train_epoch", kept)
    trained(begun(network), 2)
    first, second = orders
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first), TRAIN)
    assert np.array_equal(np.sort(second), TRAIN)


@pytest.mark.parametrize("case", CASES)
def test_a_restored_fit_continues_bit_for_bit(case: str, data: Data) -> None:
    name, config = CASES[case]
    network, file = compiled(data, name, **config), io.BytesIO()
    whole, first = trained(begun(network), 4), trained(begun(network), 2)
    np.savez(file, **first.state())  # type: ignore[arg-type]
    file.seek(0)
    resumed = begun(fresh(data, name, **config))
    resumed.restore(dict(np.load(file)))
    assert fingerprint(resumed) == fingerprint(first)
    assert fingerprint(trained(resumed, 2)) == fingerprint(whole)


@pytest.mark.parametrize("group", ["weights", "optimizer", "best_weights"])
def test_what_does_not_fit_the_network_is_refused_before_it_trains(data: Data, group: str) -> None:
    """Another version may have other variables: whoever resumes then has to begin afresh."""
    name, config = CASES[next(iter(CASES))]
    network = compiled(data, name, **config)
    state = trained(begun(network), 1).state()
    last = max(
        (one for one in state if one.startswith(f"{group}/")), key=lambda one: (len(one), one)
    )
    with pytest.raises(ValueError, match="zip"):
        begun(network).restore({key: one for key, one in state.items() if key != last})


@pytest.mark.parametrize("case", CASES)
def test_fits_in_lock_step_do_not_touch_each_other(case: str, data: Data) -> None:
    name, config = CASES[case]
    network = compiled(data, name, **config)
    left, right = begun(network, seed=1), begun(network, seed=2)
    for _ in range(2):
        left.advance()
        right.advance()
    alone = trained(begun(network, seed=2), 2)
    assert fingerprint(right) == fingerprint(alone) != fingerprint(left)
    assert network._train.experimental_get_tracing_count() == 1


def test_another_process_computes_the_same_bits_and_prints_nothing_else(data: Data) -> None:
    here, conftest = Path(__file__), Path(__file__).with_name("conftest.py")
    script = (
        "from runpy import run_path\n"
        f"data = run_path({str(conftest)!r})['learnable'](120)\n"
        f"print(run_path({str(here)!r})['fingerprints'](data))\n"
        "import tensorflow as tf\n"
        "print(tf.config.threading.get_intra_op_parallelism_threads())\n"
        "print(tf.config.threading.get_inter_op_parallelism_threads())\n"
    )
    there = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert there.stdout.splitlines() == [str(fingerprints(data)), "1", "1"]
    assert there.stderr == ""


def test_divergence_is_an_error_and_not_a_number(data: Data) -> None:
    fit = begun(compiled(data, "mlp", units=8, optimizer="sgd", learning_rate=1e30))
    with pytest.raises(NonFiniteLoss, match="epoch 1; try a smaller learning rate") as caught:
        fit.advance()
    assert caught.value.epoch == 1
    assert isinstance(caught.value, BloodHpoError)
    assert fit.epoch == 0


def test_weights_that_break_in_the_last_step_are_divergence_too(data: Data) -> None:
    # One batch an epoch: the loss before its step is finite, the weights after it are not.
    fit = begun(compiled(data, "mlp", units=8, optimizer="sgd", learning_rate=3e38, batch_size=70))
    with pytest.raises(NonFiniteLoss):
        fit.advance()
