"""One epoch of training: the compiled epoch against plain Keras `fit`, side by side.

Keras gets what the report's notebooks wrote: float images divided by 255, Keras's augmentation
layers in front of the network, `fit` on arrays. It has no layer for the eight symmetries; there its
own flips stand in, which are half of them. Neither scores anything. The two take turns, epoch by
epoch, in one process with one TensorFlow thread; the first epoch of each, which traces the graph,
does not count. CPU seconds are those of the whole process. A ratio belongs to the processor that
the table names.

The kernels are TensorFlow's matrix products and convolutions alone, forwards and backwards, each
called singly on this machine in its own shape. What compiles a whole step may need less.

    python benchmarks/epoch.py --data bloodmnist.npz            # about four minutes
    python benchmarks/epoch.py --data bloodmnist.npz --quick    # one MLP and one CNN
"""

import platform
import statistics
import time
from collections.abc import Callable, Iterator
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from surroundings import data_set, machine, options

from blood_hpo.data.bloodmnist import DataSource, Split, load_split
from blood_hpo.models.hyperparameters import Hyperparameters
from blood_hpo.models.registry import FAMILIES
from blood_hpo.training.runtime import configure

if TYPE_CHECKING:
    import keras

Call = Callable[[], object]

NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "MLP 128, batch 16": ("mlp", {"units": 128, "batch_size": 16}),
    "MLP 128, batch 128": ("mlp", {"units": 128, "batch_size": 128}),
    "MLP 1024, batch 64": ("mlp", {"units": 1024, "batch_size": 64}),
    "CNN 128 3x3, batch 16": ("cnn", {"filters": 128, "batch_size": 16}),
    "CNN 128 3x3, batch 128": ("cnn", {"filters": 128, "batch_size": 128}),
    "CNN 32 5x5, batch 32": ("cnn", {"filters": 32, "kernel_size": 5}),
    "CNN 128 3x3 tanh, batch 16": (
        "cnn",
        {"filters": 128, "batch_size": 16, "activation": "tanh"},
    ),
    "ResNet, batch 32": ("resnet", {"batch_size": 32}),
}
QUICK = ("MLP 128, batch 16", "CNN 128 3x3, batch 16")
AUGMENTATIONS = ("none", "flips_rotation", "symmetries")
IMAGES = {"mlp": 3200, "cnn": 1024, "resnet": 128}
SEED = 0
REPEATS, CALLS = 9, 4  # of a kernel
HEADER = (
    "| network | augmentation | images | ours, CPU s | ours, wall s | Keras fit, CPU s | ratio "
    "| kernels, CPU s | our loss | Keras loss |"
)


class Seconds(NamedTuple):
    """Of each epoch: CPU and wall seconds, and its training loss."""

    cpu: list[float]
    wall: list[float]
    loss: list[float]

    def add(self, epoch: Callable[[], float]) -> None:
        """Run an epoch and note what it took."""
        cpu, wall = time.process_time(), time.perf_counter()
        loss = epoch()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)
        self.loss.append(loss)


def compiled(name: str, config: Hyperparameters, data: Split) -> Callable[[], float]:
    """A function that trains one compiled epoch and returns its loss."""
    from blood_hpo.training.epoch import CompiledNetwork

    network = CompiledNetwork(name, config, data.images, data.labels)
    network.load(network.initial_state(SEED))
    everything = np.arange(len(data.labels))
    preparation, rng = network.preparation(everything), np.random.default_rng(SEED)
    rates = np.full(-(-len(everything) // config.batch_size), network.learning_rate, np.float32)

    def epoch() -> float:
        order = rng.permutation(everything)
        return network.train_epoch(preparation, order, rates, int(rng.integers(2**32)))[0]

    return epoch


def plain(name: str, config: Hyperparameters, data: Split) -> Callable[[], float]:
    """The same with `fit` on the same network under Keras's own optimizer and augmentation.

    One call, as the notebooks', whose epochs wait for their turn: what it sets up does not count.
    """
    from keras.callbacks import LambdaCallback

    model = notebook_model(name, config)
    images = data.images.astype(np.float32) / 255
    asked, losses = Queue[None](), Queue[float | Exception]()
    turns = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: asked.get(),  # noqa: ARG005 - Keras passes them by name
        on_epoch_end=lambda epoch, logs: losses.put(logs["loss"]),  # noqa: ARG005
    )
    rules = {"batch_size": config.batch_size, "epochs": 10**6, "verbose": 0, "callbacks": [turns]}

    def fit() -> None:
        try:
            model.fit(images, data.labels, **rules)
        except Exception as error:  # raised where the loss is waited for
            losses.put(error)

    Thread(target=fit, daemon=True).start()

    def epoch() -> float:
        asked.put(None)
        found = losses.get()
        if isinstance(found, Exception):
            raise found
        return found

    return epoch


def notebook_model(name: str, config: Hyperparameters) -> "keras.Model":
    """The network behind Keras's augmentation layers, compiled for `fit`."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(SEED)
    flips = layers.RandomFlip(seed=SEED)
    augmentation = {
        "none": [],
        "flips_rotation": [flips, layers.RandomRotation(0.2, seed=SEED)],
        "symmetries": [flips],
    }[config.augmentation]
    network = FAMILIES[name].build(config)
    model = keras.Sequential([keras.Input((28, 28, 3)), *augmentation, network])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=config.optimizer, loss=loss, metrics=["accuracy"])
    return model


def kernels(name: str, config: Hyperparameters, images: int) -> float:
    """CPU seconds of the products and convolutions of an epoch alone.

    The first layer has no gradient of its input.
    """
    layers = [one for one in FAMILIES[name].build(config).layers if hasattr(one, "kernel")]
    calls = [call for layer in layers for call in arithmetic(layer, config.batch_size)]
    del calls[2]
    return sum(fastest(call) for call in calls) * images / config.batch_size


def arithmetic(layer: "keras.Layer", batch: int) -> tuple[Call, Call, Call]:
    """A layer's output, the gradient of its kernel, and that of its input."""
    import tensorflow as tf

    x, y = (tf.ones((batch, *one.shape[1:])) for one in (layer.input, layer.output))
    kernel, raw = tf.ones(layer.kernel.shape), tf.raw_ops
    if len(kernel.shape) == 2:  # noqa: PLR2004
        return (
            lambda: tf.matmul(x, kernel),
            lambda: tf.matmul(x, y, transpose_a=True),
            lambda: tf.matmul(y, kernel, transpose_b=True),
        )
    how = {"strides": [1, *layer.strides, 1], "padding": layer.padding.upper()}
    return (
        lambda: raw.Conv2D(input=x, filter=kernel, **how),
        lambda: raw.Conv2DBackpropFilter(input=x, filter_sizes=kernel.shape, out_backprop=y, **how),
        lambda: raw.Conv2DBackpropInput(input_sizes=x.shape, filter=kernel, out_backprop=y, **how),
    )


def fastest(call: Call) -> float:
    """The fewest CPU seconds of a call: whatever disturbs it only adds to them."""
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        for _ in range(CALLS):
            call()
        taken.append((time.process_time() - started) / CALLS)
    return min(taken)


def reached() -> str:
    """What one thread of the machine does at best, in thousand million operations a second."""
    import tensorflow as tf

    matrix, maps, kernel = tf.ones((1024, 1024)), tf.ones((32, 28, 28, 64)), tf.ones((3, 3, 64, 64))
    product = 2 * 1024**3 / fastest(lambda: tf.matmul(matrix, matrix))
    convolution = fastest(lambda: tf.nn.conv2d(maps, kernel, 1, "SAME"))
    convolution = 2 * 32 * 28**2 * 9 * 64**2 / convolution
    return (
        f"matrix product {product / 1e9:.0f} GFLOP/s, convolution {convolution / 1e9:.0f} GFLOP/s"
    )


def heading(source: DataSource, measured: str) -> str:
    """What the figures depend on: data, what is measured of it, machine and versions."""
    import keras
    import tensorflow as tf
    from tensorflow.python.util import _pywrap_util_port as port

    return (
        f"- data: {source.label}, SHA-256 {source.sha256}; {measured}\n"
        f"- {machine()} at the start\n"
        f"- one thread: {reached()}; oneDNN {'on' if port.IsMklEnabled() else 'off'} for both\n"
        f"- Python {platform.python_version()}, TensorFlow {tf.__version__}, "
        f"Keras {keras.__version__}, NumPy {np.__version__}\n"
    )


def rows(label: str, data: Split, repeats: int) -> Iterator[str]:
    """The lines of one network, which share its kernels."""
    name, given = NETWORKS[label]
    least = kernels(name, FAMILIES[name].hyperparameters(**given), IMAGES[name])
    for augmentation in AUGMENTATIONS:
        config = FAMILIES[name].hyperparameters(**given | {"augmentation": augmentation})
        figures = row(name, config, data, repeats, least)
        yield f"| {label} | {augmentation} | {figures} |"


def row(name: str, config: Hyperparameters, data: Split, repeats: int, least: float) -> str:
    """The figures of one line; the first epoch of both is left out."""
    count = IMAGES[name]
    some = Split(images=data.images[:count], labels=data.labels[:count])
    variants = [(make(name, config, some), Seconds([], [], [])) for make in (compiled, plain)]
    for turn in range(1 + repeats):
        for epoch, seconds in variants[:: 1 if turn % 2 else -1]:
            seconds.add(epoch)
    ours, theirs = (seconds for _, seconds in variants)
    cpu, wall, keras_cpu = (statistics.median(one[1:]) for one in (ours.cpu, ours.wall, theirs.cpu))
    return (
        f"{count:,} | {cpu:.3f} | {wall:.3f} | {keras_cpu:.3f} | {keras_cpu / cpu:.2f}"
        f" | {least:.3f} | {ours.loss[-1]:.3f} | {theirs.loss[-1]:.3f}"
    )


def main() -> None:
    """Measure and print the table."""
    parser = options(__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="epochs that count (5)")
    parser.add_argument("--quick", action="store_true", help="one MLP and one CNN alone")
    given = parser.parse_args()
    configure()
    source = data_set(given.data)
    data = load_split(source, "train")
    print(heading(source, f"medians of {given.repeats} epochs"))
    print(HEADER, "|---" * 2 + "|---:" * 8 + "|", sep="\n")
    for label in QUICK if given.quick else NETWORKS:
        for line in rows(label, data, given.repeats):
            print(line, flush=True)


if __name__ == "__main__":
    main()
