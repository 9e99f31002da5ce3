"""What every family can be configured with."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Activation = Literal["relu", "tanh"]
Dropout = Annotated[float, Field(ge=0, lt=1)]


class Hyperparameters(BaseModel):
    """The training hyperparameters that all families share; a family adds those of its network.

    Attributes:
        optimizer: What trains the network.
        learning_rate: The highest of a schedule; none is the library's default.
        schedule: "cosine": half a cosine down to almost 0; "one_cycle": up in the first 30 %, then
            down to almost 0.
        weight_decay: Decoupled, as a fraction of the learning rate per step; none is the library's
            default (0.004 for AdamW, none for the others).
        label_smoothing: Share of the target spread evenly over all classes.
        batch_size: Images per step; the last batch of an epoch may be smaller.
        class_weights: "balanced" weights each image by the inverse frequency of its class.
        averaging: Decay per step of the moving average of the weights, which is what is scored
            and kept; 0 keeps the weights themselves.
        augmentation: "flips_rotation": also by up to 72 degrees; "symmetries": one of the eight of
            the square; "symmetries_shifts": and by up to 2 pixels each way.
        mixing: "mixup" blends each image and its label with another's, "cutmix" pastes a box of
            the other in; one draw a batch.
        mixing_strength: Alpha of the Beta(alpha, alpha) from which the share of the image itself is
            drawn: small ones mix little.
        standardise: Scale each channel to mean 0 and deviation 1 instead of to 0 to 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    optimizer: Literal["sgd", "rmsprop", "adam", "adamw"] = "adam"
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    schedule: Literal["constant", "cosine", "one_cycle"] = "constant"
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    # One image can be neither normalised nor mixed; no file has more than the other end.
    batch_size: Annotated[int, Field(ge=2, le=200_000)] = 32
    class_weights: Literal["none", "balanced"] = "none"
    averaging: Annotated[float, Field(ge=0, lt=1)] = 0.0
    augmentation: Literal["none", "flips_rotation", "symmetries", "symmetries_shifts"] = "none"
    mixing: Literal["none", "mixup", "cutmix"] = "none"
    mixing_strength: Annotated[float, Field(gt=0)] = 1.0
    standardise: bool = False

    @model_validator(mode="after")
    def _mixing_is_used(self) -> Self:
        if self.mixing == "none" and self.mixing_strength != 1:
            raise ValueError('mixing_strength has no effect with mixing "none"; leave it at 1')
        return self

    @property
    def schedule_ends(self) -> bool:
        """Whether the learning rate falls to almost 0 in the last epoch, so that none may be cut.

        Such a schedule is defined by the share of the training that is done: it can be stretched.
        """
        return self.schedule != "constant"


def canonical_json(value: Any) -> str:  # noqa: ANN401 - anything JSON can hold
    """One spelling per value: sorted keys, no spaces, ASCII only; NaN and infinity are refused.

    >>> canonical_json({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
