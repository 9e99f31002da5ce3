"""The model families by name; a new family is one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from blood_hpo.errors import InputError
from blood_hpo.models import cnn, mlp, resnet
from blood_hpo.models.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Family:
    """A model family.

    Attributes:
        hyperparameters: The schema of its configurations.
        build: Makes the network of one configuration: scaled float32 images (N, 28, 28, 3) in,
            logits (N, 8) out. Imports Keras when called, not before.
    """

    hyperparameters: type[Hyperparameters]
    build: Callable[[Any], "keras.Model"]


FAMILIES: dict[str, Family] = {
    "mlp": Family(mlp.MlpHyperparameters, mlp.build),
    "cnn": Family(cnn.CnnHyperparameters, cnn.build),
    "resnet": Family(resnet.ResnetHyperparameters, resnet.build),
}


def family(name: str) -> Family:
    """The family called ``name``.

    Raises:
        InputError: There is none; the message gives the nearest name, or all of them.
    """
    if name in FAMILIES:
        return FAMILIES[name]
    near = get_close_matches(name.lower(), FAMILIES, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(FAMILIES)}"
    raise InputError(f"no model family is called {name!r}; {hint}")
