"""The same network from faster layers: equal variables in equal order, equal results.

What a family builds and what is exported are Keras's own layers. In training three are replaced:

- A convolution that max-pooling follows pools first: neither the bias nor a monotonic activation
  turns the order of two numbers round, so the outputs are the same to the last bit, and both run
  over a map that is several times smaller.
- Batch normalisation is TensorFlow's single kernel.
- A strided convolution of single pixels drops the pixels that it skips first. oneDNN's gradient of
  it writes beyond its memory on processors with AVX2 and fewer than eight input channels.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import keras
import tensorflow as tf
from keras import layers

_MAX_POOLING = (layers.MaxPooling2D, layers.GlobalMaxPooling2D)
_MONOTONIC = (keras.activations.linear, keras.activations.relu, keras.activations.tanh)


class _PooledConvolution(layers.Conv2D):  # type: ignore[misc] # Keras is untyped
    """A convolution, then max-pooling, then bias and activation."""

    def __init__(self, convolution: layers.Conv2D, pooling: layers.Layer) -> None:
        super().__init__(**convolution.get_config())
        self._pooling = type(pooling).from_config(pooling.get_config())

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the pooled features."""
        return self._pooling.compute_output_shape(super().compute_output_shape(shape))  # type: ignore[no-any-return]

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Images (n, s, s, c) to pooled features (n, p, p, filters), or (n, filters)."""
        pooled = self._pooling(self.convolution_op(images, self.kernel))
        return self.activation(pooled + self.bias if self.use_bias else pooled)


class _PixelConvolution(layers.Conv2D):  # type: ignore[misc] # Keras is untyped
    """A strided convolution with kernels of one pixel."""

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Images (n, s, s, c) to features (n, s / stride, s / stride, filters)."""
        down, right = self.strides
        features = tf.nn.conv2d(images[:, ::down, ::right], self.kernel, 1, "VALID")
        return self.activation(features + self.bias if self.use_bias else features)


class _FusedNormalisation(layers.BatchNormalization):  # type: ignore[misc] # Keras is untyped
    """Batch normalisation over the last axis as one kernel."""

    batches: tf.Tensor | None = None
    """Over so many batches `measuring` takes the statistics, if it does."""

    def call(
        self, features: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Features (n, c) or (n, h, w, c), normalised; the moving statistics follow in training."""
        measured = self.batches
        if mask is not None or not (training or measured is not None):
            return super().call(features, training=training, mask=mask)
        maps = features if len(features.shape) > 2 else features[:, None, None, :]  # noqa: PLR2004
        scaling = {"scale": self.gamma, "offset": self.beta, "epsilon": self.epsilon}
        output, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=maps, mean=[], variance=[], is_training=True, **scaling
        )
        # The kernel estimates the variance with n - 1; Keras's moving variance divides by n.
        count = tf.cast(tf.reduce_prod(tf.shape(maps)[:3]), tf.float32)
        variance = variance * (count - 1) / count
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            if measured is None:
                moving.assign(moving * self.momentum + batch * (1 - self.momentum))
            else:
                moving.assign(moving + batch / measured)
        return tf.reshape(output, tf.shape(features))


def fused(network: keras.Model) -> keras.Model:
    """A network with variables of its own that computes what the given one does."""
    pooled = dict(_pooled(network))
    absorbed = set(pooled.values())

    def faster(layer: layers.Layer) -> layers.Layer:
        if layer in pooled:
            return _PooledConvolution(layer, pooled[layer])
        if layer in absorbed:
            return layers.Identity(name=layer.name)
        kind = type(layer)
        if kind is layers.BatchNormalization:
            kind = _FusedNormalisation
        elif kind is layers.Conv2D and layer.kernel_size == (1, 1) and layer.strides != (1, 1):
            kind = _PixelConvolution
        return kind.from_config(layer.get_config())

    return keras.models.clone_model(network, clone_function=faster)


def normalisations(network: keras.Model) -> list[layers.Layer]:
    """The layers of a faster network whose moving statistics can be measured."""
    return [layer for layer in network.layers if isinstance(layer, _FusedNormalisation)]


@contextmanager
def measuring(normalised: list[layers.Layer], batches: tf.Tensor) -> Iterator[None]:
    """Within, moving statistics become the means over so many batches, float32 (), that then pass.

    They pass the network as in prediction, without dropout, and yet normalised by themselves.
    """
    for layer in normalised:
        layer.moving_mean.assign(tf.zeros_like(layer.moving_mean))
        layer.moving_variance.assign(tf.zeros_like(layer.moving_variance))
        layer.batches = batches
    yield
    for layer in normalised:
        layer.batches = None


def _pooled(network: keras.Model) -> Iterator[tuple[layers.Conv2D, layers.Layer]]:
    """The convolutions of a chain that max-pooling follows, each with its pooling."""
    chain = network.layers if isinstance(network, keras.Sequential) else []
    for layer, after in pairwise(chain):
        fits = type(layer) is layers.Conv2D and layer.activation in _MONOTONIC
        if fits and isinstance(after, _MAX_POOLING):
            yield layer, after
