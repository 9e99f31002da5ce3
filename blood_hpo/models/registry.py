"""The model families by name; a new family is one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blood_hpo.models import cnn, mlp, resnet
from blood_hpo.models.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Family:
    """A model family: the schema of its configurations, and what becomes of one.

    Attributes:
        build: Makes the network: scaled float32 images (N, 28, 28, 3) in, logits (N, 8) out.
            Imports Keras when called, not before.
        parameter_count: Trainable parameters of that network, without building it.
    """

    hyperparameters: type[Hyperparameters]
    build: Callable[[Any], "keras.Model"]
    parameter_count: Callable[[Any], int]


FAMILIES: dict[str, Family] = {
    "mlp": Family(mlp.MlpHyperparameters, mlp.build, mlp.parameter_count),
    "cnn": Family(cnn.CnnHyperparameters, cnn.build, cnn.parameter_count),
    "resnet": Family(resnet.ResnetHyperparameters, resnet.build, resnet.parameter_count),
}
