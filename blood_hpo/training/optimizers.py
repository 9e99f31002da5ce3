"""Optimizers exactly as a configuration names them."""

from typing import TYPE_CHECKING

from blood_hpo.models.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    import keras


def build(config: Hyperparameters) -> "keras.Optimizer":
    """The optimizer of a configuration.

    What the configuration leaves open (learning rate, weight decay) and what it cannot set
    (momenta, epsilon) stands at Keras's defaults. Weight decay is decoupled from the gradient for
    every optimizer: each step shrinks the weights by ``learning_rate * weight_decay``.
    """
    from keras import optimizers

    kinds = {
        "sgd": optimizers.SGD,
        "rmsprop": optimizers.RMSprop,
        "adam": optimizers.Adam,
        "adamw": optimizers.AdamW,
    }
    given = {"learning_rate": config.learning_rate, "weight_decay": config.weight_decay}
    settings = {name: value for name, value in given.items() if value is not None}
    return kinds[config.optimizer](**settings)
