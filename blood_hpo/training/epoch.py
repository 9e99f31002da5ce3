"""One epoch of training as one compiled graph, shared by all folds of a trial.

The images stay in memory as bytes. A permutation goes in, and the graph gathers, scales, augments
and learns batch after batch: to return to Python would cost small networks more than the
arithmetic. Weights and optimizer state are swapped between folds, so the graph is traced once.
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from blood_hpo.data.facts import CLASS_COUNT, SIDE
from blood_hpo.models.hyperparameters import Hyperparameters
from blood_hpo.models.registry import FAMILIES
from blood_hpo.training import optimizers
from blood_hpo.training.augment import AUGMENTATIONS, Augmentation
from blood_hpo.training.fused import fused, measuring, normalisations
from blood_hpo.training.mixing import mixed, mixing_masks
from blood_hpo.training.preparation import Preparation, prepare

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Variables = list[NDArray[np.generic]]

PREDICTION_BATCH = 256

MEASURED = 2048
"""Training images from which averaged weights get the statistics of their batch normalisation."""

_UNCHANGED = AUGMENTATIONS["none"]
_INDICES = tf.TensorSpec([None], tf.int32)
_RATES = tf.TensorSpec([None], tf.float32)
_SEED = tf.TensorSpec([2], tf.int32)
_MASKS = tf.TensorSpec([None, SIDE, SIDE, 1], tf.float32)
_PREPARATION = Preparation(*(tf.TensorSpec([size], tf.float32) for size in (3, 3, CLASS_COUNT)))


@dataclass(frozen=True)
class NetworkState:
    """All variables of the model and of its optimizer; the arrays are never written to."""

    weights: Variables
    optimizer: Variables


class CompiledNetwork:
    """A network, its optimizer and a data set, compiled for whole epochs.

    Attributes:
        learning_rate: The configured learning rate, or the optimizer's default.
        parameter_count: Number of trainable parameters.
    """

    def __init__(self, name: str, config: Hyperparameters, images: Bytes, labels: Bytes) -> None:
        """Build the network of family ``name`` for images (n, 28, 28, 3) and labels (n,)."""
        self.labels = labels
        self._build: Callable[[], keras.Model] = partial(FAMILIES[name].build, config)
        self.config = config
        self._augmentation = AUGMENTATIONS[config.augmentation]
        self._arrays = images
        self._images = tf.constant(images)
        self._labels = tf.constant(labels, tf.int32)
        self._model = fused(self._build())
        self._optimizer = optimizers.build(config, self._trainable)
        self.learning_rate = float(self._optimizer.learning_rate)
        self.parameter_count = sum(int(v.value.shape.num_elements()) for v in self._trainable)
        self._fresh_optimizer = _read(self._optimizer.variables)
        self._train = tf.function(
            self._train_graph, input_signature=[_PREPARATION, _INDICES, _RATES, _SEED, _MASKS]
        )
        self._predict = tf.function(self._predict_graph, input_signature=[_PREPARATION, _INDICES])
        self._measure = tf.function(self._measure_graph, input_signature=[_PREPARATION, _INDICES])

    @property
    def _trainable(self) -> list[keras.Variable]:
        return list(self._model.trainable_variables)

    def initial_state(self, seed: int) -> NetworkState:
        """Freshly initialised weights and optimizer; equal seeds, in [0, 2**32), equal states."""
        keras.utils.set_random_seed(seed)
        return NetworkState(_read(self._build().variables), self._fresh_optimizer)

    def state(self) -> NetworkState:
        """A copy of the present state."""
        return NetworkState(_read(self._model.variables), _read(self._optimizer.variables))

    def settled(self, state: NetworkState, preparation: Preparation, indices: Indices) -> Variables:
        """Put the weights that are scored and kept in place, and give all variables of the model.

        These are the weights of ``state``, the present one, or their average if asked for. Averaged
        weights make features of their own, to which the moving statistics of the others do not
        belong: these are measured on the training images at ``indices`` (Izmailov et al. 2018,
        "Averaging Weights Leads to Wider Optima", section 3.2). An average of the moving statistics
        would lag behind by as many steps as the average reaches back.
        """
        if not self.config.averaging:
            return state.weights
        self._optimizer.finalize_variable_values(self._model.trainable_variables)
        if normalisations(self._model):
            chosen = np.random.default_rng(0).permutation(indices)[:MEASURED]  # files may be sorted
            self._measure(preparation, chosen.astype(np.int32))
        return _read(self._model.variables)

    def load(self, state: NetworkState) -> None:
        """Continue from ``state``."""
        self.load_weights(state.weights)
        _write(self._optimizer.variables, state.optimizer)

    def load_weights(self, weights: Variables) -> None:
        """Predict with these variables of the model."""
        _write(self._model.variables, weights)

    def preparation(self, indices: Indices) -> Preparation:
        """Scaling and class weights for training on the images at ``indices``."""
        return prepare(self.config, self._arrays[indices], self.labels[indices])

    def train_epoch(
        self, preparation: Preparation, order: Indices, learning_rates: Floats, seed: int
    ) -> tuple[float, float]:
        """Train on every image at ``order`` (n,) once, in that order.

        Args:
            preparation: Scaling and class weights.
            order: Indices of the training images.
            learning_rates: One a batch, shape (ceil(n / batch_size),).
            seed: Of augmentation and mixing, in [0, 2**32).

        Returns:
            Mean loss and accuracy over the images as they were met, like those that Keras prints.
        """
        halves = np.array([seed >> 16, seed & 0xFFFF], np.int32)
        mixing = mixing_masks(self.config, len(learning_rates), seed)
        chosen = order.astype(np.int32)
        loss, accuracy = self._train(preparation, chosen, learning_rates, halves, mixing)
        return float(loss), float(accuracy)

    def predict(self, preparation: Preparation, indices: Indices) -> Floats:
        """Probabilities of the classes for the images at ``indices``, shape (n, 8)."""
        chosen = indices.astype(np.int32)
        probabilities: Floats = self._predict(preparation, chosen).numpy()
        return probabilities

    def close(self) -> None:
        """Give the memory of graph and model back; the network cannot be used afterwards."""
        vars(self).clear()
        keras.backend.clear_session()
        gc.collect()

    def _inputs(
        self, augmentation: Augmentation, scaling: Preparation, indices: tf.Tensor, drawn: tf.Tensor
    ) -> tf.Tensor:
        images = tf.cast(augmentation.gather(self._images, indices, drawn), tf.float32)
        # TensorFlow repeats three numbers along the last axis far slower than a whole image.
        mean = tf.broadcast_to(scaling.mean, images.shape[1:])
        deviation = tf.broadcast_to(scaling.deviation, images.shape[1:])
        return augmentation.transform((images - mean) / deviation, drawn)

    def _train_graph(
        self,
        preparation: Preparation,
        order: tf.Tensor,
        rates: tf.Tensor,
        seed: tf.Tensor,
        mixing: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        count, smoothing = tf.size(order), self.config.label_smoothing
        drawn = self._augmentation.draw(count, seed)
        all_labels = tf.gather(self._labels, order)
        all_weights = tf.gather(preparation.class_weights, all_labels)
        loss, correct = tf.constant(0.0), tf.constant(0)
        for step in tf.range(tf.size(rates)):
            batch = slice(step * self.config.batch_size, (step + 1) * self.config.batch_size)
            images = self._inputs(self._augmentation, preparation, order[batch], drawn[batch])
            labels, weights = all_labels[batch], all_weights[batch]
            targets = tf.one_hot(labels, CLASS_COUNT) * (1 - smoothing) + smoothing / CLASS_COUNT
            if self.config.mixing != "none":
                images, share = mixed(images, mixing[step]), tf.reduce_mean(mixing[step])
                targets, weights = mixed(targets * weights[:, None], share), mixed(weights, share)
                targets /= weights[:, None]
                labels = tf.argmax(targets, axis=1, output_type=tf.int32)
            self._optimizer.learning_rate.assign(rates[step])
            losses, predicted = self._step(images, targets, weights)
            loss += tf.reduce_sum(losses)
            correct += tf.reduce_sum(tf.cast(predicted == labels, tf.int32))
        return loss / tf.cast(count, tf.float32), correct / count

    def _step(
        self, images: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """One optimizer step; the loss and the class that was predicted, per image."""
        with tf.GradientTape() as tape:
            logits = self._model(images, training=True)
            losses = weights * tf.nn.softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, [variable.value for variable in self._trainable])
        self._optimizer.apply(gradients, self._trainable)
        return losses, tf.argmax(logits, axis=1, output_type=tf.int32)

    def _predict_graph(self, preparation: Preparation, indices: tf.Tensor) -> tf.Tensor:
        count = tf.size(indices)
        batches = (count + PREDICTION_BATCH - 1) // PREDICTION_BATCH
        shape = [None, CLASS_COUNT]
        parts = tf.TensorArray(tf.float32, batches, infer_shape=False, element_shape=shape)
        for batch in tf.range(batches):
            parts = parts.write(batch, tf.nn.softmax(self._logits(preparation, indices, batch)))
        return parts.concat()

    def _measure_graph(self, preparation: Preparation, indices: tf.Tensor) -> None:
        batches = tf.maximum(tf.size(indices) // PREDICTION_BATCH, 1)
        with measuring(normalisations(self._model), tf.cast(batches, tf.float32)):
            for batch in tf.range(batches):
                self._logits(preparation, indices, batch)

    def _logits(self, preparation: Preparation, indices: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
        """Outputs in prediction of one batch of the images at ``indices``."""
        chosen = indices[batch * PREDICTION_BATCH : (batch + 1) * PREDICTION_BATCH]
        images = self._inputs(_UNCHANGED, preparation, chosen, chosen)
        return self._model(images, training=False)


def _read(variables: list[keras.Variable]) -> Variables:
    return [variable.value.numpy().copy() for variable in variables]


def _write(variables: list[keras.Variable], values: Variables) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
