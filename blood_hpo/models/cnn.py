"""The convolutional network: one convolution, one pooling, one dense layer."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from blood_hpo.data.facts import CLASS_COUNT, IMAGE_SHAPE, SIDE
from blood_hpo.models.hyperparameters import Activation, Dropout, Hyperparameters

if TYPE_CHECKING:
    import keras


class CnnHyperparameters(Hyperparameters):
    """Hyperparameters of the convolutional network.

    Attributes:
        kernel_size: Side in pixels; the image is not padded.
        filters: Number of kernels.
        pool_size: Side and stride of the window, or the whole feature map.
        pooling: What a window is reduced to.
        activation: Of the convolution.
        dropout: Share of the pooled features dropped in training.
        batch_normalisation: Of the pooled features, before the activation; the convolution then has
            no bias.
    """

    kernel_size: Annotated[int, Field(gt=0, le=SIDE)] = 3
    filters: Annotated[int, Field(gt=0)] = 32
    pool_size: Annotated[int, Field(gt=0)] | Literal["global"] = 2
    pooling: Literal["max", "mean"] = "max"
    activation: Activation = "relu"
    dropout: Dropout = 0.0
    batch_normalisation: bool = False

    @model_validator(mode="after")
    def _window_fits(self) -> Self:
        side = SIDE - self.kernel_size + 1
        if self.pool_size != "global" and self.pool_size > side:
            raise ValueError(
                f"pool_size {self.pool_size} exceeds the {side} x {side} feature map that "
                f'kernel_size {self.kernel_size} leaves; use at most {side}, or "global"'
            )
        return self


def build(config: CnnHyperparameters) -> "keras.Model":
    """The network: scaled float32 images (N, 28, 28, 3) to logits (N, 8)."""
    import keras
    from keras import layers

    normalised, shape = config.batch_normalisation, (config.filters, config.kernel_size)
    activation = None if normalised else config.activation
    stack = [keras.Input(IMAGE_SHAPE)]
    stack.append(layers.Conv2D(*shape, activation=activation, use_bias=not normalised))
    stack.append(_pooling(config))
    if normalised:
        stack += [layers.BatchNormalization(), layers.Activation(config.activation)]
    stack.append(layers.Flatten())
    if config.dropout:
        stack.append(layers.Dropout(config.dropout))
    stack.append(layers.Dense(CLASS_COUNT))
    return keras.Sequential(stack)


def parameter_count(config: CnnHyperparameters) -> int:
    """Trainable parameters of the network."""
    side = SIDE - config.kernel_size + 1
    windows = 1 if config.pool_size == "global" else (side // config.pool_size) ** 2
    kernel = 3 * config.kernel_size**2 + (2 if config.batch_normalisation else 1)
    return config.filters * kernel + (config.filters * windows + 1) * CLASS_COUNT


def _pooling(config: CnnHyperparameters) -> "keras.Layer":
    from keras import layers

    kinds = {
        "max": (layers.GlobalMaxPooling2D, layers.MaxPooling2D),
        "mean": (layers.GlobalAveragePooling2D, layers.AveragePooling2D),
    }
    whole, window = kinds[config.pooling]
    return whole() if config.pool_size == "global" else window(config.pool_size)
