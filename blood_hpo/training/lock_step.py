"""Fits of one network that are trained together: one epoch on each, then one report."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from blood_hpo.training.epoch import CompiledNetwork
from blood_hpo.training.fit import Fit
from blood_hpo.training.fold_result import Arrays, FoldResult


class LockStep(ABC):
    """A training in progress: fits of at most ``epochs`` that share a compiled network."""

    def __init__(self, network: CompiledNetwork, fits: Sequence[Fit], epochs: int) -> None:
        self._started = time.monotonic()
        self._network = network
        self._fits = fits
        self.epochs = epochs
        self.parameter_count = network.parameter_count

    @property
    def epoch(self) -> int:
        """Epochs that the longest-running fit has completed."""
        return max(fit.epoch for fit in self._fits)

    @property
    def finished(self) -> bool:
        """Whether every fit has stopped."""
        return all(fit.stopped for fit in self._fits)

    def advance(self) -> None:
        """`Fit.advance` every fit that has not stopped; a stopped one holds its score."""
        for fit in self._fits:
            if not fit.stopped:
                fit.advance()

    @property
    def score(self) -> float:
        """Mean over the fits of the score that early stopping would keep now."""
        return float(np.mean([fit.score for fit in self._fits]))

    @abstractmethod
    def reports(self) -> dict[int, float]:
        """The value reported after each epoch so far, epochs counted from 1."""

    def results(self) -> list[FoldResult]:
        """What is known so far of each fit."""
        return [fit.result() for fit in self._fits]

    @property
    def seconds(self) -> float:
        """Wall time so far, scoring and what came before a checkpoint included."""
        return round(time.monotonic() - self._started, 3)

    def state(self) -> Arrays:
        """Everything needed to go on in another process, as arrays that numpy can save."""
        fits = {
            f"{number}/{name}": array
            for number, fit in enumerate(self._fits)
            for name, array in fit.state().items()
        }
        return {**fits, "seconds": np.array(self.seconds)}

    def restore(self, arrays: Arrays) -> None:
        """Go on from a `state`; the result is the same as without the interruption."""
        for number, fit in enumerate(self._fits):
            own = [name for name in arrays if name.startswith(f"{number}/")]
            fit.restore({name.partition("/")[2]: arrays[name] for name in own})
        self._started -= float(arrays["seconds"])

    def close(self) -> None:
        """Free the network's memory; the object cannot be used afterwards."""
        self._network.close()
