"""The residual network: a convolution, residual blocks that halve the map and double the filters.

Residual blocks after He et al., "Deep Residual Learning for Image Recognition" (2015), with the
details of the report this project extends: three convolutions a block, of which the first has
stride 2, and a skip convolution without batch normalisation unless it is asked for.
"""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from blood_hpo.data.facts import CLASS_COUNT, IMAGE_SHAPE
from blood_hpo.models.hyperparameters import Activation, Dropout, Hyperparameters

if TYPE_CHECKING:
    import keras


class ResnetHyperparameters(Hyperparameters):
    """Hyperparameters of the residual network.

    Attributes:
        initial_filters: Filters of the first convolution; each block doubles them.
        blocks: Residual blocks.
        convolutions_per_block: Those of 3 x 3 on the main path.
        dense: Whether a dense layer as wide as the last block comes before the output.
        activation: Of all layers.
        dropout: Share of the last block's pooled features dropped in training.
        skip_normalisation: Normalise the skip convolutions too.
        skip_dropout: Share of the maps of a skip convolution dropped in training.
    """

    initial_filters: Annotated[int, Field(gt=0)] = 64
    blocks: Annotated[int, Field(gt=0, le=10)] = 2  # after five a map is one pixel
    convolutions_per_block: Annotated[int, Field(gt=0, le=100)] = 3
    dense: bool = True
    activation: Activation = "relu"
    dropout: Dropout = 0.0
    skip_normalisation: bool = False
    skip_dropout: Dropout = 0.0


def build(config: ResnetHyperparameters) -> "keras.Model":
    """The network: scaled float32 images (N, 28, 28, 3) to logits (N, 8)."""
    import keras
    from keras import layers

    inputs = keras.Input(IMAGE_SHAPE)
    filters = config.initial_filters
    x = layers.ZeroPadding2D(1)(inputs)
    x = _convolution(x, filters, stride=1)
    x = layers.Activation(config.activation)(x)
    for _ in range(config.blocks):
        filters *= 2
        x = _block(x, filters, config)
    x = layers.GlobalAveragePooling2D()(x)
    if config.dropout:
        x = layers.Dropout(config.dropout)(x)
    if config.dense:
        x = layers.Dense(filters, activation=config.activation)(x)
    return keras.Model(inputs, layers.Dense(CLASS_COUNT)(x))


def parameter_count(config: ResnetHyperparameters) -> int:
    """Trainable parameters of the network."""
    filters = config.initial_filters
    total = filters * (3 * 9 + 3)
    for _ in range(config.blocks):
        inputs, filters = filters, 2 * filters
        skip = inputs + (3 if config.skip_normalisation else 1)
        path = 9 * inputs + 3 + (config.convolutions_per_block - 1) * (9 * filters + 3)
        total += filters * (skip + path)
    return total + (filters * (filters + 1) if config.dense else 0) + (filters + 1) * CLASS_COUNT


def _block(
    x: "keras.KerasTensor", filters: int, config: ResnetHyperparameters
) -> "keras.KerasTensor":
    """Add a strided 1 x 1 convolution of the input to a chain of 3 x 3 convolutions."""
    from keras import layers

    skip = layers.Conv2D(filters, 1, strides=2, padding="same")(x)
    if config.skip_normalisation:
        skip = layers.BatchNormalization()(skip)
    if config.skip_dropout:
        skip = layers.SpatialDropout2D(config.skip_dropout)(skip)
    x = _convolution(x, filters, stride=2)
    for _ in range(config.convolutions_per_block - 1):
        x = layers.Activation(config.activation)(x)
        x = _convolution(x, filters, stride=1)
    return layers.Activation(config.activation)(layers.Add()([x, skip]))


def _convolution(x: "keras.KerasTensor", filters: int, stride: int) -> "keras.KerasTensor":
    from keras import layers

    x = layers.Conv2D(filters, 3, strides=stride, padding="same")(x)
    return layers.BatchNormalization()(x)
