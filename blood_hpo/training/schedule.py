"""Learning rates of the steps of an epoch."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

RISING, FIRST = 0.3, 1 / 25
"""Share of the steps in which the one-cycle schedule rises, and of its peak where it begins."""


def learning_rates(
    schedule: Literal["constant", "cosine", "one_cycle"],
    initial: float,
    *,
    epoch: int,
    epochs: int,
    steps: int,
) -> NDArray[np.float32]:
    """The learning rate of each step of one epoch (from 1, of ``epochs``), shape (steps,).

    "constant" stays at ``initial``. "cosine" is half a cosine over all steps of all epochs, from
    ``initial`` at the first step to almost 0 at the last (Loshchilov & Hutter 2017, "SGDR", without
    restarts). "one_cycle" is half a cosine from a 25th up to ``initial`` over the first 30 % of all
    steps, then another down to almost 0 (after Smith & Topin 2017, "Super-convergence").
    """
    if schedule == "constant":
        return np.full(steps, initial, np.float32)
    done = ((epoch - 1) * steps + np.arange(steps)) / (epochs * steps)
    if schedule == "cosine":
        return (initial * _fall(done)).astype(np.float32)
    rise = FIRST + (1 - FIRST) * (1 - _fall(done / RISING))
    fall = _fall((done - RISING) / (1 - RISING))
    return (initial * np.where(done < RISING, rise, fall)).astype(np.float32)


def _fall(done: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half a cosine from 1 to 0 while ``done`` goes from 0 to 1."""
    return 0.5 * (1 + np.cos(np.pi * done))
