"""CPU seconds of one epoch: the compiled epoch against plain Keras `fit`, side by side.

Each row trains one of the report's networks, with and without flips and rotation, on fold 1 of 3 of
a stratified 40 % of the training images, and scores 40 % of the validation split after each epoch.
Keras gets what one would write first: float images divided by 255, its own augmentation layers in
front of the network, `fit` with `validation_data`. The two take turns, epoch by epoch; the first
epoch of each, which traces the graph, does not count. CPU time is that of the whole process, with
one thread for TensorFlow.

    python benchmarks/epoch.py --data bloodmnist.npz

takes about 10 minutes, nearly all of it for the ResNet.
"""

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blood_hpo.data.bloodmnist import DataSource, find, load_split
from blood_hpo.data.folds import stratified_folds, stratified_subset
from blood_hpo.errors import BloodHpoError
from blood_hpo.models.hyperparameters import Hyperparameters
from blood_hpo.models.registry import FAMILIES
from blood_hpo.settings import settings
from blood_hpo.training.runtime import configure

if TYPE_CHECKING:
    import keras

NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"units": 128, "batch_size": 16},
    "cnn": {"filters": 128, "kernel_size": 3, "batch_size": 16},
    "resnet": {"batch_size": 32},
}
FRACTION, FOLDS, SEED = 0.4, 3, 0


class Data(NamedTuple):
    """Training images followed by validation images, uint8 (n, 28, 28, 3), and labels (n,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]


class Turns(NamedTuple):
    """CPU seconds and training losses of both, one entry an epoch."""

    ours: list[float]
    keras: list[float]
    our_losses: list[float]
    keras_losses: list[float]


def load(source: DataSource) -> Data:
    """Fold 1 of the subset that the docstring of this module describes."""
    parts = []
    for name in ("train", "validation"):
        split = load_split(source, name)
        chosen = stratified_subset(split.labels, FRACTION, SEED)
        parts.append((split.images[chosen], split.labels[chosen]))
    (images, labels), (more_images, more_labels) = parts
    return Data(
        np.concatenate([images, more_images]),
        np.concatenate([labels, more_labels]),
        stratified_folds(labels, FOLDS, SEED)[0].train,
        np.arange(len(labels), len(labels) + len(more_labels)),
    )


def compiled(name: str, config: Hyperparameters, data: Data) -> Callable[[], float]:
    """A function that trains and scores one compiled epoch and returns the training loss."""
    from blood_hpo.training.epoch import CompiledNetwork

    network = CompiledNetwork(name, config, data.images, data.labels)
    network.load(network.initial_state(SEED))
    preparation, rng = network.preparation(data.train), np.random.default_rng(SEED)
    steps = -(-len(data.train) // config.batch_size)
    rates = np.full(steps, network.learning_rate, np.float32)

    def epoch() -> float:
        order = rng.permutation(data.train)
        loss, _ = network.train_epoch(preparation, order, rates, int(rng.integers(2**32)))
        network.predict(preparation, data.validation)
        return loss

    return epoch


def plain(name: str, config: Hyperparameters) -> "keras.Model":
    """The same network as a compiled Keras model with Keras's optimizer and augmentation."""
    import keras
    from keras import layers

    flips = [layers.RandomFlip(seed=SEED), layers.RandomRotation(0.2, seed=SEED)]
    augmentation = flips if config.augmentation == "flips_rotation" else []
    keras.utils.set_random_seed(SEED)
    network = FAMILIES[name].build(config)
    model = keras.Sequential([keras.Input((28, 28, 3)), *augmentation, network])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=config.optimizer, loss=loss, metrics=["accuracy"])
    return model


def take_turns(name: str, config: Hyperparameters, data: Data, repeats: int) -> Turns:
    """Train both for ``1 + repeats`` epochs: after each of Keras's comes one of ours."""
    import keras

    ours, turns, clock = compiled(name, config, data), Turns([], [], [], []), time.process_time
    started: list[float] = []

    def end(_: int, logs: dict[str, float]) -> None:
        begun, ended = started[-1], clock()
        turns.keras.append(ended - begun)
        turns.keras_losses.append(logs["loss"])
        turns.our_losses.append(ours())
        turns.ours.append(clock() - ended)

    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: started.append(clock()), on_epoch_end=end
    )
    floats = data.images.astype(np.float32) / 255
    plain(name, config).fit(
        floats[data.train],
        data.labels[data.train],
        validation_data=(floats[data.validation], data.labels[data.validation]),
        batch_size=config.batch_size,
        epochs=1 + repeats,
        callbacks=[watch],
        verbose=0,
    )
    return turns


def heading(source: DataSource, data: Data) -> str:
    """What the figures depend on: data, machine and versions."""
    import keras
    import tensorflow as tf

    model = Path("/proc/cpuinfo").read_text("utf-8") if sys.platform == "linux" else ""
    names = [line.split(": ")[1] for line in model.splitlines() if line.startswith("model name")]
    return (
        f"data     {source.label}, sha256 {source.sha256}\n"
        f"fold     {len(data.train)} training and {len(data.validation)} validation images\n"
        f"machine  {names[0] if names else platform.machine()}, {len(names)} logical cores\n"
        f"versions Python {platform.python_version()}, TensorFlow {tf.__version__}, "
        f"Keras {keras.__version__}, NumPy {np.__version__}\n"
    )


def row(name: str, config: Hyperparameters, turns: Turns) -> str:
    """One line of the table; the first epoch is left out."""
    ours, theirs = statistics.median(turns.ours[1:]), statistics.median(turns.keras[1:])
    return (
        f"{name:8}{config.batch_size:>6}  {config.augmentation:16}{ours:>10.3f}{theirs:>10.3f}"
        f"{theirs / ours:>7.2f}x{turns.our_losses[-1]:>11.3f}{turns.keras_losses[-1]:>11.3f}"
    )


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Compiled epoch against Keras fit, CPU seconds.")
    parser.add_argument("--data", type=Path, help="npz file; without it, BLOOD_HPO_DATA")
    parser.add_argument("--repeats", type=int, default=3, help="epochs that count (3)")
    parser.add_argument("--families", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    given = parser.parse_args()
    configure()
    try:
        source = find(given.data, settings=settings(), download=False)
        data = load(source)
    except BloodHpoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(heading(source, data))
    print(
        f"{'family':8}{'batch':>6}  {'augmentation':16}{'ours, s':>10}{'Keras, s':>10}{'ratio':>8}"
        f"{'our loss':>11}{'Keras loss':>11}"
    )
    for name in given.families:
        for augmentation in ("none", "flips_rotation"):
            config = FAMILIES[name].hyperparameters(**NETWORKS[name], augmentation=augmentation)
            turns = take_turns(name, config, data, given.repeats)
            print(row(name, config, turns), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
