"""The multilayer perceptron: one hidden layer over the pixels."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

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
    """The network: scaled float32 images (N, 28, 28, 3) to logits (N, 8).

    With 128 units it has 302,216 parameters, all trainable.
    """
    import keras
    from keras import layers

    stack = [keras.Input((28, 28, 3)), layers.Flatten()]
    if config.input_dropout:
        stack.append(layers.Dropout(config.input_dropout))
    if config.batch_normalisation:
        stack.append(layers.Dense(config.units, use_bias=False))
        stack += [layers.BatchNormalization(), layers.Activation(config.activation)]
    else:
        stack.append(layers.Dense(config.units, activation=config.activation))
    if config.dropout:
        stack.append(layers.Dropout(config.dropout))
    stack.append(layers.Dense(8))
    return keras.Sequential(stack)


def parameter_count(config: MlpHyperparameters) -> int:
    """Trainable parameters of the network."""
    hidden = 28 * 28 * 3 + (2 if config.batch_normalisation else 1)
    return config.units * hidden + (config.units + 1) * 8
