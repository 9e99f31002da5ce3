"""Whether training in bfloat16 ranks configurations as float32 does.

20 MLPs and 20 CNNs, drawn from the spaces of studies/paper.toml, are trained by the program's own
loop: in float32 from two seeds, and in bfloat16 (Keras's policy "mixed_bfloat16": products and
convolutions in bfloat16; weights, loss and optimizer in float32) from the first of them. Kendall's
tau says how far two rankings agree, 1 being the same; two seeds in float32 agree as far as noise
lets them. Regret: how far the configuration that looks best is, in float32 from the second seed,
behind the best there.

    python benchmarks/precision.py --data bloodmnist.npz

takes about four minutes of two cores. CPU seconds are those of the epochs after the first; the
processor decides whether bfloat16 is fast.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau
from surroundings import data_set, machine

from blood_hpo.data.bloodmnist import Split, load_split
from blood_hpo.models.configuration import Configuration
from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile.load import load
from blood_hpo.training.fold_result import TrainingRules
from blood_hpo.training.runtime import configure

if TYPE_CHECKING:
    import keras

    from blood_hpo.training.epoch import CompiledNetwork

STUDY_FILE = Path(__file__).parents[1] / "studies/paper.toml"
TRAINED, SCORED, EPOCHS, SEEDS = 1500, 1500, 4, (1, 2)
LOW = "bfloat16"


class Found(NamedTuple):
    """Of a configuration: its accuracies, and CPU seconds of training in each precision."""

    first: float
    second: float
    low: float
    seconds: float
    low_seconds: float


def main() -> None:
    """Train, compare and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="npz file; without it, BLOOD_HPO_DATA")
    parser.add_argument("--each", type=int, default=20, help="configurations of a family (20)")
    asked = parser.parse_args()
    source = data_set(asked.data)
    print(f"{machine()}; {source.label}; {EPOCHS} epochs of {TRAINED} images, {SCORED} scored\n")
    print("| configurations | tau: two seeds | bfloat16, same seed | bfloat16, other seed", end=" ")
    print("| regret of a float32 seed | of bfloat16 | CPU, bfloat16 / float32 |\n|---" + "|---:" * 6, end="|\n")
    drawn = [one for family in ("mlp", "cnn") for one in draw(family, asked.each)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(partial(compare, source.path), drawn))
