"""Learning rates of the steps of an epoch."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray


def learning_rates(
    schedule: Literal["constant", "cosine"], initial: float, *, epoch: int, epochs: int, steps: int
) -> NDArray[np.float32]:
    """The learning rate of each step of one epoch, shape (steps,).

    Args:
        schedule: "constant", or "cosine": half a cosine over all steps of all epochs, from
            ``initial`` at the first step to almost 0 at the last (Loshchilov & Hutter 2017, "SGDR",
            without restarts).
        initial: The learning rate at the start.
        epoch: The epoch in question, from 1.
        epochs: Epochs over which the cosine falls.
        steps: Optimizer steps of an epoch.
    """
    if schedule == "constant":
        return np.full(steps, initial, np.float32)
    done = ((epoch - 1) * steps + np.arange(steps)) / (epochs * steps)
    return (initial * 0.5 * (1 + np.cos(np.pi * done))).astype(np.float32)
