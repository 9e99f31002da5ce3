"""What every contestant does: build once, then train an epoch each time it is asked to.

Only NumPy is imported here, since each framework lives in an environment of its own.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SEED = 0
Epoch = Callable[[], float]


class Task(NamedTuple):
    """What is to be trained on what.

    Attributes:
        family: mlp or cnn.
        network: units, or filters and kernel_size; activation.
        batch_size: Images of a step; it divides their number.
        images: (n, 28, 28, 3), bytes.
        labels: (n,), bytes.
    """

    family: str
    network: dict[str, Any]
    batch_size: int
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The images of an epoch's steps, shape (steps, batch size)."""
        return rng.permutation(len(self.labels)).reshape(-1, self.batch_size)

    def weights(self) -> list[NDArray[np.float32]]:
        """Keras's first weights: of the hidden layer, or the convolution's, and of the last."""
        if self.family == "mlp":
            return [_glorot(28 * 28 * 3, self.network["units"]), _glorot(self.network["units"], 8)]
        side, filters = self.network["kernel_size"], self.network["filters"]
        pooled = (28 - side + 1) // 2
        return [_glorot(side, side, 3, filters), _glorot(pooled * pooled * filters, 8)]


def _glorot(*shape: int) -> NDArray[np.float32]:
    area = int(np.prod(shape[:-2]))
    limit = (6 / (area * (shape[-2] + shape[-1]))) ** 0.5
    return np.random.default_rng(SEED).uniform(-limit, limit, shape).astype(np.float32)


def take_turns(make: Callable[[Task], Epoch]) -> None:
    """Train one epoch a line on stdin, on one core; the first line is for loading and building."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with np.load(sys.argv[1]) as file:
        task = Task(**json.loads(sys.argv[2]), images=file["images"], labels=file["labels"])
    epoch = make(task)
    _say(0.0, 0.0, 0.0)
    for _ in sys.stdin:
        cpu, wall = time.process_time(), time.perf_counter()
        loss = epoch()
        _say(time.process_time() - cpu, time.perf_counter() - wall, loss)


def _say(cpu: float, wall: float, loss: float) -> None:
    """CPU seconds of the whole process come with it, and its largest memory in MB."""
    status = Path("/proc/self/status").read_text("utf-8").split()
    memory = int(status[status.index("VmHWM:") + 1]) / 1000
    spent = time.process_time()
    found = {"cpu": cpu, "wall": wall, "loss": loss, "memory": memory, "spent": spent}
    print(json.dumps(found), flush=True)
