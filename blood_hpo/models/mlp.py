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
        activation: Non-linearity of the hidden layer.
        dropout: Share of the hidden units dropped in training, in [0, 1).
    """

    units: Annotated[int, Field(gt=0)] = 128
    activation: Activation = "relu"
    dropout: Dropout = 0.0


def build(config: MlpHyperparameters) -> "keras.Model":
    """The network: scaled float32 images (N, 28, 28, 3) to logits (N, 8).

    With 128 units it has 302,216 parameters, all trainable.
    """
    import keras
    from keras import layers

    stack = [keras.Input((28, 28, 3)), layers.Flatten()]
    stack.append(layers.Dense(config.units, activation=config.activation))
    if config.dropout:
        stack.append(layers.Dropout(config.dropout))
    stack.append(layers.Dense(8))
    return keras.Sequential(stack)
