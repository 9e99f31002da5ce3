"""A trained network as one file that anybody can use: raw pixels in, probabilities out.

Scaling and softmax are layers of the exported model, so there is nothing to get wrong around it. It
consists of Keras's own layers alone and loads in safe mode.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from blood_hpo.data.facts import IMAGE_SHAPE
from blood_hpo.models.configuration import Configuration
from blood_hpo.models.registry import FAMILIES
from blood_hpo.training.preparation import Preparation

BATCH = 256

SYNTHETIC = "synthetic_"
"""How the name of a model begins that has never seen a blood cell."""


def export(
    configuration: Configuration,
    preparation: Preparation,
    weights: list[NDArray[np.generic]],
    *,
    synthetic: bool = False,
) -> bytes:
    """The contents of a ``.keras`` file: images (n, 28, 28, 3) of 0 to 255 to (n, 8).

    The weights are all variables of the network, in the order of its ``variables``. The name of a
    model that was trained on synthetic images says so.
    """
    name = configuration.family
    network = FAMILIES[name].build(configuration.hyperparameters)
    for variable, value in zip(network.variables, weights, strict=True):
        variable.assign(value)
    pixels = keras.Input(IMAGE_SHAPE, name="pixels")
    # In this order the subtraction is exact, as it is in training.
    scaled = keras.layers.Rescaling(1.0, (-preparation.mean).tolist(), name="centre")(pixels)
    scaled = keras.layers.Rescaling((1 / preparation.deviation).tolist(), name="scale")(scaled)
    probabilities = keras.layers.Softmax(name="probabilities")(network(scaled))
    model = keras.Model(pixels, probabilities, name=f"{SYNTHETIC}{name}" if synthetic else name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.keras")
        model.save(path)
        return path.read_bytes()


def load(content: bytes) -> "keras.Model":
    """The model in the contents of a ``.keras`` file, loaded in safe mode."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        path.write_bytes(content)
        return keras.models.load_model(path, compile=False, safe_mode=True)


def predict(model: "keras.Model", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities float32 (n, 8) of images uint8 (n, 28, 28, 3)."""
    batches = [images[first : first + BATCH] for first in range(0, len(images), BATCH)]
    parts = [np.asarray(model(batch.astype(np.float32), training=False)) for batch in batches]
    return np.concatenate(parts).astype(np.float32)


def parameter_counts(model: "keras.Model") -> tuple[int, int]:
    """Trainable parameters, and those that only move with the data."""
    trainable = sum(int(np.prod(variable.shape)) for variable in model.trainable_weights)
    return trainable, model.count_params() - trainable


def architecture(model: "keras.Model") -> list[dict[str, Any]]:
    """The layers in order: name, kind, output shape, parameters, and the layers before it."""
    return list(_layers(model, {}))


def _layers(model: "keras.Model", aliases: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Layers of the model and of models inside it, whose input and output are but other names."""
    for layer in model.layers:
        nodes = layer._inbound_nodes[-1:]  # where it was called last
        before = [_origin(tensor) for node in nodes for tensor in node.input_tensors]
        inputs = [aliases.get(name, name) for name in before]
        if isinstance(layer, keras.Model):
            aliases[_origin(layer.inputs[0])] = inputs[0]
            yield from (one for one in _layers(layer, aliases) if one["kind"] != "InputLayer")
            last = _origin(layer.outputs[0])
            aliases[layer.name] = aliases.get(last, last)
        else:
            yield {
                "name": layer.name,
                "kind": type(layer).__name__,
                "output_shape": list(layer.output.shape[1:]),
                "parameters": int(layer.count_params()),
                "inputs": inputs,
            }


def _origin(tensor: "keras.KerasTensor") -> str:
    """Name of the layer that a tensor comes from."""
    return str(tensor._keras_history.operation.name)
