"""An epoch of this program beside Keras `fit`, PyTorch and JAX, with the same network and batches.

Each contestant is a process of its own on one core, and they take turns, epoch by epoch. PyTorch
and JAX live in an environment of their own:

    python3 -m venv build/peers
    build/peers/bin/pip install --no-deps -r benchmarks/peers/requirements.txt
    python benchmarks/peers/compare.py --data bloodmnist.npz

takes about eight minutes of one core. CPU seconds are those of the process; a ratio belongs to the
processor that the table names. Losses are those of the last epoch: all start alike, so they agree
but for the order of the images.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))

from epoch import IMAGES, heading
from surroundings import data_set, options

from blood_hpo.data.bloodmnist import Split, load_split
from blood_hpo.training.runtime import configure

HERE = Path(__file__).parent
PEERS = Path("build/peers/bin/python")
MLP = {"units": 128, "activation": "relu"}
CNN = {"filters": 128, "kernel_size": 3, "activation": "relu"}
TASKS: dict[str, dict[str, Any]] = {
    f"{label}, batch {size}": {"family": family, "network": network, "batch_size": size}
    for label, family, network, size in (
        ("MLP 128", "mlp", MLP, 16),
        ("MLP 128", "mlp", MLP, 128),
        ("MLP 1024", "mlp", {**MLP, "units": 1024}, 64),
        ("CNN 128 3x3", "cnn", CNN, 16),
        ("CNN 128 3x3", "cnn", CNN, 128),
        ("CNN 128 3x3 tanh", "cnn", {**CNN, "activation": "tanh"}, 16),
    )
}
HEADER = (
    "| network | ours, CPU s | Keras fit | PyTorch | JAX | Keras fit / ours | PyTorch / ours"
    " | JAX / ours | losses | from import to first epoch, CPU s | memory, MB |"
)


class Contestant:
    """A process that trains an epoch when it is told to."""

    def __init__(self, python: str | Path, script: str, *arguments: str) -> None:
        command = [str(python), str(HERE / script), *arguments]
        self.answers: list[dict[str, float]] = []
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._hear()

    def __enter__(self) -> "Contestant":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def train(self) -> None:
        """Train one epoch."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._hear()

    def median(self, name: str) -> float:
        """Of the epochs after the first, which compiles."""
        return statistics.median(one[name] for one in self.answers[2:])

    def _hear(self) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args!s} ended early")
        self.answers.append(json.loads(line))


def row(label: str, data: Split, folder: Path, repeats: int) -> str:
    """One line of the table."""
    task, count = TASKS[label], IMAGES[TASKS[label]["family"]]
    file = folder / "images.npz"
    np.savez(file, images=data.images[:count], labels=data.labels[:count])
    given = str(file), json.dumps(task)
    with ExitStack() as stack:
        contestants = [
            stack.enter_context(Contestant(*one))
            for one in (
                (sys.executable, "with_tensorflow.py", *given),
                (sys.executable, "with_tensorflow.py", *given, "fit"),
                (PEERS, "with_torch.py", *given),
                (PEERS, "with_jax.py", *given),
            )
        ]
        for turn in range(1 + repeats):
            for one in contestants[:: 1 if turn % 2 else -1]:
                one.train()
    cpu = [one.median("cpu") for one in contestants]
    columns = [
        label,
        *(f"{one:.3f}" for one in cpu),
        *(f"{one / cpu[0]:.2f}" for one in cpu[1:]),
        " / ".join(f"{one.answers[-1]['loss']:.3f}" for one in contestants),
        " / ".join(f"{one.answers[1]['spent']:.1f}" for one in contestants),
        " / ".join(f"{one.answers[-1]['memory']:.0f}" for one in contestants),
    ]
    return f"| {' | '.join(columns)} |"


def main() -> None:
    """Measure and print the table."""
    parser = options(__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="epochs that count (5)")
    asked = parser.parse_args()
    source = data_set(asked.data)
    data = load_split(source, "train")
    configure()
    print(heading(source, f"medians of {asked.repeats} epochs"))
    print(HEADER, "|---" + "|---:" * 10 + "|", sep="\n")
    with tempfile.TemporaryDirectory() as folder:
        for label in TASKS:
            print(row(label, data, Path(folder), asked.repeats), flush=True)


if __name__ == "__main__":
    main()
