"""The multilayer perceptron: one hidden layer over the pixels."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from blood_hpo.data.facts import CLASS_COUNT, IMAGE_SHAPE, SIDE
from blood_hpo.models.hyperparameters import Activation, Dropout, Hyperparameters

if TYPE_CHECKING:
    import keras


class MlpHyperparameters(Hyperparameters):
    """Hyperparameters of the perceptron.

    Attributes:
        units: Width of the hidden layer.
        activation: Of the hidden layer.
        dropout: Share of the hidden units dropped in training.
        input_dropout: Share of the pixel values dropped in training.
        batch_normalisation: Of the hidden layer, which then has no bias, before the activation.
    """

    units: Annotated[int, Field(gt=0)] = 128
    activation: Activation = "relu"
    dropout: Dropout = 0.0
    input_dropout: Dropout = 0.0
    batch_normalisation: bool = False


def build(config: MlpHyperparameters) -> "keras.Model":
    """The network: scaled float32 images (N, 28, 28, 3) to logits (N, 8)."""
    import keras
    from keras import layers

    normalised = config.batch_normalisation
    activation = None if normalised else config.activation
    stack = [keras.Input(IMAGE_SHAPE), layers.Flatten()]
    if config.input_dropout:
        stack.append(layers.Dropout(config.input_dropout))
    stack.append(layers.Dense(config.units, activation=activation, use_bias=not normalised))
    if normalised:
        stack += [layers.BatchNormalization(), layers.Activation(config.activation)]
    if config.dropout:
        stack.append(layers.Dropout(config.dropout))
    stack.append(layers.Dense(CLASS_COUNT))
    return keras.Sequential(stack)


def parameter_count(config: MlpHyperparameters) -> int:
    """Trainable parameters of the network."""
    hidden = 3 * SIDE**2 + (2 if config.batch_normalisation else 1)
    return config.units * hidden + (config.units + 1) * CLASS_COUNT
