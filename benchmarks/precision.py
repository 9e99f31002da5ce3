"""Whether training in bfloat16 ranks configurations as float32 does.

20 MLPs and 20 CNNs, drawn from the spaces of studies/paper.toml, are trained by the program's own
loop: in float32 from two seeds, and from the first of them in bfloat16 (Keras's "mixed_bfloat16":
layers compute in bfloat16; weights, loss and optimizer stay in float32). Kendall's tau says how far
two rankings agree, 1 being the same; two seeds in float32 agree as far as noise lets them. Regret:
how far what ranks first is, in float32 from the second seed, behind the best there.

    python benchmarks/precision.py --data bloodmnist.npz

takes about four minutes of two cores. CPU seconds are those of the epochs after the first; whether
bfloat16 is fast depends on the processor.
"""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import kendalltau
from surroundings import data_set, machine, options

from blood_hpo.data.bloodmnist import DataSource, Split, load_split
from blood_hpo.models.configuration import Configuration
from blood_hpo.models.hyperparameters import Hyperparameters
from blood_hpo.models.registry import FAMILIES
from blood_hpo.studyfile.load import load
from blood_hpo.training.fold_result import Rules
from blood_hpo.training.runtime import configure

if TYPE_CHECKING:
    import keras

STUDY_FILE = Path(__file__).parents[1] / "studies/paper.toml"
IMAGES, EPOCHS, SEEDS = 2500, 5, (1, 2)
RULES = Rules(EPOCHS, patience=EPOCHS, start_epoch=0)
HEADER = (
    "| configurations | tau: two float32 seeds | bfloat16, same seed | bfloat16, other seed"
    " | regret: float32 | bfloat16 | mean accuracy: float32 | bfloat16 | CPU: bfloat16 / float32 |"
    "\n|---" + "|---:" * 8 + "|"
)


class Found(NamedTuple):
    """Of a configuration: accuracies of both seeds and of bfloat16; CPU seconds of either."""

    first: float
    second: float
    low: float
    cpu: float
    low_cpu: float


def main() -> None:
    """Train all, compare, and print the table."""
    parser = options(__doc__)
    parser.add_argument("--each", type=int, default=20, help="configurations of a family (20)")
    asked = parser.parse_args()
    source = data_set(asked.data)
    print(f"{machine()}, TensorFlow {version('tensorflow')}; {source.label}: {EPOCHS} epochs of")
    print(f"{IMAGES} training images, the validation split scored\n\n{HEADER}")
    drawn = [*draw("mlp", asked.each), *draw("cnn", asked.each)]
    with ProcessPoolExecutor(os.cpu_count(), initializer=configure) as pool:
        found = list(pool.map(partial(trained, source), drawn))
    print(row("MLP", found[: asked.each]), row("CNN", found[asked.each :]), sep="\n")
    print(row("both", found))


def draw(family: str, count: int) -> Iterator[Configuration]:
    """Different configurations at random."""
    spec = load(STUDY_FILE)
    rows = list(spec.rows(family, list(spec.space(family))))
    for place in np.random.default_rng(SEEDS[0]).choice(len(rows), count, replace=False):
        yield Configuration(family, spec.config(family, rows[place]))


def trained(source: DataSource, one: Configuration) -> Found:
    """Train a configuration from both seeds in float32, and from the first in bfloat16."""
    low = f"{one.family}, bfloat16"
    FAMILIES[low] = replace(FAMILIES[one.family], build=partial(in_bfloat16, one.family))
    (first, cpu), (second, _) = fits(source, one.family, one.hyperparameters, SEEDS)
    ((third, low_cpu),) = fits(source, low, one.hyperparameters, SEEDS[:1])
    return Found(first, second, third, cpu, low_cpu)


@cache
def images(source: DataSource) -> Split:
    """Those to train on, and then the validation split."""
    train, validation = load_split(source, "train"), load_split(source, "validation")
    return Split(
        images=np.concatenate([train.images[:IMAGES], validation.images]),
        labels=np.concatenate([train.labels[:IMAGES], validation.labels]),
    )


def in_bfloat16(family: str, config: Hyperparameters) -> "keras.Model":
    """The network of a family, computing in bfloat16, with logits in float32."""
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    network = FAMILIES[family].build(config)
    keras.config.set_dtype_policy("float32")
    network.add(keras.layers.Activation("linear", dtype="float32"))
    return network


def fits(
    source: DataSource, name: str, config: Hyperparameters, seeds: Sequence[int]
) -> list[tuple[float, float]]:
    """Of each seed: accuracy after the last epoch, and CPU seconds of the epochs after the first.

    The network is the program's own, traced once.
    """
    from blood_hpo.training.epoch import CompiledNetwork
    from blood_hpo.training.fit import Fit

    data, found = images(source), []
    network = CompiledNetwork(name, config, data.images, data.labels)
    every = np.arange(len(data.labels))
    for seed in seeds:
        one = Fit(network, every[:IMAGES], every[IMAGES:], None, RULES, "accuracy", seed)
        one.advance()
        begun = time.process_time()
        while not one.stopped:
            one.advance()
        found.append((one.history.validation[-1], time.process_time() - begun))
    network.close()
    return found


def row(label: str, found: Sequence[Found]) -> str:
    """One line of the table."""
    first, second, low, cpu, low_cpu = np.array(found).T
    pairs = ((first, second), (low, first), (low, second))
    columns = [f"{kendalltau(*pair).statistic:.2f}" for pair in pairs]
    columns += [f"{second.max() - second[pick.argmax()]:.4f}" for pick in (first, low)]
    columns += [f"{one.mean():.4f}" for one in (first, low)]
    return f"| {label} | {' | '.join(columns)} | {low_cpu.sum() / cpu.sum():.2f} |"


if __name__ == "__main__":
    main()
