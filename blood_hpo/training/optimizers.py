"""Optimizers exactly as a configuration names them."""

import keras
import tensorflow as tf

from blood_hpo.models.hyperparameters import Hyperparameters


class _Lean:
    """What all have in common: no step passes over the weights more often than it must.

    The sum of the gradients over replicas, of which there is one, is left out: TensorFlow never
    frees a graph that contains it (its issue 97697), nor the images of each trial with it.
    """

    def _all_reduce_sum_gradients(
        self, pairs: list[tuple[tf.Tensor, tf.Variable]]
    ) -> list[tuple[tf.Tensor, tf.Variable]]:
        return pairs

    def _apply_weight_decay(
        self: "keras.optimizers.Optimizer", variables: list[keras.Variable]
    ) -> None:
        """Shrink what decays by learning rate times decay, in one pass where Keras has three."""
        for variable in variables if self.weight_decay else ():
            if self._use_weight_decay(variable):
                variable.assign(variable * (1 - self.learning_rate * self.weight_decay))

    def _update_model_variables_moving_average(
        self: "keras.optimizers.Optimizer", variables: list[keras.Variable]
    ) -> None:
        """Move each average towards its variable; after the first step it is the variable."""
        if not self.use_ema:
            return
        share = tf.where(self.iterations.value > 0, 1 - self.ema_momentum, 1.0)
        for variable, average in zip(variables, self._model_variables_moving_average, strict=True):
            tf.raw_ops.ResourceApplyGradientDescent(
                var=average.value.handle, alpha=share, delta=average - variable
            )


class _FusedUpdate(_Lean):
    """Adam's update of one variable as one TensorFlow kernel instead of a dozen.

    Equal to Keras's own up to rounding, it saves a quarter of a small perceptron's epoch and half
    of a wide one's, where the update moves more memory than the network does.
    """

    def update_step(
        self: "keras.optimizers.Adam",
        gradient: tf.Tensor,
        variable: tf.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        """Apply one gradient; Keras calls this for each variable of each step."""
        place = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


_KINDS = {
    "sgd": type("Sgd", (_Lean, keras.optimizers.SGD), {}),
    "rmsprop": type("RMSprop", (_Lean, keras.optimizers.RMSprop), {}),
    "adam": type("Adam", (_FusedUpdate, keras.optimizers.Adam), {}),
    "adamw": type("AdamW", (_FusedUpdate, keras.optimizers.AdamW), {}),
}


def build(config: Hyperparameters, variables: list[keras.Variable]) -> keras.Optimizer:
    """The optimizer of a configuration, ready to train these variables.

    What the configuration leaves open or cannot set (momenta, epsilon) stands at Keras's defaults.
    Weight decay is decoupled from the gradient for every optimizer: each step first shrinks the
    weights by ``learning_rate * weight_decay``. Biases and the scales and offsets of normalisation,
    which are vectors, keep their size: they hold no interaction of features to be simplified.
    """
    settings = config.model_dump(include={"learning_rate", "weight_decay"}, exclude_none=True)
    if config.averaging:
        settings |= {"use_ema": True, "ema_momentum": config.averaging}
    optimizer: keras.Optimizer = _KINDS[config.optimizer](**settings)
    vectors = [variable for variable in variables if len(variable.shape) < 2]  # noqa: PLR2004
    optimizer.exclude_from_weight_decay(vectors)
    optimizer.build(variables)
    return optimizer
