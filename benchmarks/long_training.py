"""Long trainings judged by the validation split, before a test split is spent on them.

A family's winner in a published report is trained on the whole training split, as it is or with
changes.

    python benchmarks/long_training.py docs/results/blood/report.json --family mlp \
        --change dropout=0.25 --change mixing=mixup,mixing_strength=0.2 --data bloodmnist.npz

takes some ten minutes of a core a training.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from surroundings import data_set, machine, options

from blood_hpo.data.bloodmnist import Split, load_split
from blood_hpo.models.configuration import Configuration
from blood_hpo.models.registry import FAMILIES
from blood_hpo.training.fold_result import Rules
from blood_hpo.training.runtime import configure

HEADER = (
    "| change | seed | last epoch | mean of the last ten | best of the second half | CPU, s |"
    "\n|---" + "|---:" * 5 + "|"
)


def main() -> None:
    """Train each, and print its line when it has ended."""
    parser = options(__doc__)
    parser.add_argument("report", type=Path, help="report.json of a study")
    parser.add_argument("--family", choices=list(FAMILIES), required=True)
    parser.add_argument("--epochs", type=int, default=120, help="length of a training (120)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[7], help="of each change (7)")
    parser.add_argument("--change", action="append", default=[], help="name=value,name=value")
    asked = parser.parse_args()
    source = data_set(asked.data)
    print(f"{machine()}; {source.label}: {asked.epochs} epochs, accuracy on the validation split\n")
    print(HEADER, flush=True)
    configure()
    train, validation = load_split(source, "train"), load_split(source, "validation")
    models = json.loads(asked.report.read_text(encoding="utf-8"))["sections"]["test"]["models"]
    winner = next(one["config"] for one in models if one["family"] == asked.family)
    for change in asked.change or [""]:
        one = Configuration.of(asked.family, {**winner, **dict(settings(change))})
        for seed in asked.seeds:
            begun = time.process_time()
            last, late, best = trained(one, train, validation, asked.epochs, seed)
            row = (change or "none", seed, f"{last:.4f}", f"{late:.4f}", f"{best:.4f}")
            print(
                f"| {' | '.join(map(str, row))} | {time.process_time() - begun:.0f} |", flush=True
            )


def settings(change: str) -> Iterator[tuple[str, object]]:
    """Hyperparameters by name; a value that is no JSON is a word."""
    for one in filter(None, change.split(",")):
        name, _, value = one.partition("=")
        try:
            yield name, json.loads(value)
        except json.JSONDecodeError:
            yield name, value


def trained(
    one: Configuration, train: Split, validation: Split, epochs: int, seed: int
) -> tuple[float, float, float]:
    """Accuracy after the last epoch, of the last ten, and the best of the second half."""
    from blood_hpo.training.epoch import CompiledNetwork
    from blood_hpo.training.fit import Fit

    images = np.concatenate([train.images, validation.images])
    labels = np.concatenate([train.labels, validation.labels])
    network = CompiledNetwork(one.family, one.hyperparameters, images, labels)
    every, rules = np.arange(len(labels)), Rules(epochs, epochs, epochs // 2)
    count = len(train)
    fit = Fit(network, every[:count], every[count:], None, rules, "accuracy", seed)
    while not fit.stopped:
        fit.advance()
    network.close()
    found = fit.history.validation
    return found[-1], float(np.mean(found[-10:])), max(found[epochs // 2 :])


if __name__ == "__main__":
    main()
