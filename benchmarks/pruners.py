"""Pruners on recorded learning curves: epochs spent, and what was lost by stopping early.

Every configuration of a finished, unpruned search is replayed in a random order: its mean score
over the folds is reported epoch by epoch, and Optuna's own pruner decides. Nothing is trained, so
every pruner sees the same curves. Families are pruned apart, as in a study.

    python benchmarks/pruners.py

prints, for each pruner, the share of the epochs that it spends and its regret: how much lower the
score of the best configuration is that it left to the end. Medians and 95 % intervals of the
orders. The curves are those of the staged grid in `recorded_trials.json`; ``--published FILE``
replays the curves that the report's authors published instead.
"""

import argparse
import json
import os
import random
import statistics
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.pruners import (
    BasePruner,
    MedianPruner,
    NopPruner,
    PatientPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
)
from recorded import recorded
from surroundings import machine

GRID = "paper-grid"
START_EPOCH = 10  # of the searches that are replayed: from here on the best epoch is kept

PRUNERS: dict[str, Callable[[], BasePruner]] = {
    "none": NopPruner,
    "median, from epoch 6": partial(MedianPruner, 5, 6),
    "median, from epoch 11": partial(MedianPruner, 5, 11),
    "median, from epoch 16": partial(MedianPruner, 5, 16),
    "median, from epoch 11, after 10 trials": partial(MedianPruner, 10, 11),
    "worst quarter, from epoch 11": partial(PercentilePruner, 75.0, 5, 11),
    "worst quarter, from epoch 16": partial(PercentilePruner, 75.0, 5, 16),
    "worst tenth, from epoch 11": partial(PercentilePruner, 90.0, 5, 11),
    "all but the best quarter, from epoch 11": partial(PercentilePruner, 25.0, 5, 11),
    "median, and 5 epochs without gain": lambda: PatientPruner(MedianPruner(5, 11), 5),
    "successive halving, by 2 from 10": lambda: SuccessiveHalvingPruner(10, 2),
    "successive halving, by 3 from 5": lambda: SuccessiveHalvingPruner(5, 3),
}
"""By what they stop, when, and how many trials must have ended; 5 where nothing is said."""


optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


class Configuration(NamedTuple):
    """What one configuration's training left: epochs by fold and the mean score they kept."""

    epochs: tuple[int, ...]
    kept: tuple[float, ...]


class Replay(NamedTuple):
    """One order under one pruner: share of all epochs, and score lost."""

    share: float
    regret: float
    pruned: float


def main() -> None:
    """Replay the curves under every pruner and print a table a family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--published", type=Path, help="Learning curves of the report, JSON.")
    parser.add_argument("--orders", type=int, default=50, help="Random orders.")
    options = parser.parse_args()
    source, families = GRID, by_family((one.family, one.folds) for one in recorded(GRID))
    if options.published:
        source = options.published.name
        families = published(json.loads(options.published.read_text("utf-8")))
    print(f"{machine()}, {source}, {options.orders} orders")
    for family, configurations in sorted(families.items()):
        print(f"\n### {family}: {len(configurations)} configurations\n")
        print("| pruner | epochs, % of all | regret | regret, 95 % of orders | pruned, % |")
        print("|---|---|---|---|---|")
        for name in PRUNERS:
            print(row(name, replays(configurations, name, options.orders)), flush=True)


def published(curves: Iterable[dict[str, Any]]) -> dict[str, list[Configuration]]:
    """Configurations of the report's staged searches, each stage's as a trial of its own."""
    folds: dict[tuple[str, ...], list[list[float]]] = defaultdict(list)
    for one in curves:
        if one["role"] == "cv":
            config = json.dumps(one["config"], sort_keys=True)
            folds[one["model"], one["search"], one["stage"], config].append(one["val_acc"])
    return by_family((key[0], trial) for key, trial in folds.items())


def by_family(
    trials: Iterable[tuple[str, Sequence[Sequence[float]]]],
) -> dict[str, list[Configuration]]:
    """Group by family what each trial's folds scored after each epoch."""
    families: dict[str, list[Configuration]] = defaultdict(list)
    for family, folds in trials:
        families[family].append(configuration(folds))
    return families


def configuration(folds: Sequence[Sequence[float]]) -> Configuration:
    """The mean over the folds of the best score so far; a fold that has stopped keeps its own."""
    longest = max(map(len, folds))
    kept = [best_so_far(fold, longest) for fold in folds]
    return Configuration(tuple(map(len, folds)), tuple(np.mean(kept, axis=0).tolist()))


def best_so_far(scores: Sequence[float], length: int) -> list[float]:
    """The score kept after each epoch, from 1 to the length."""
    kept = []
    for epoch in range(1, length + 1):
        known = scores[:epoch]
        kept.append(max(known[START_EPOCH:] or known[-1:]))
    return kept


def replays(configurations: list[Configuration], name: str, orders: int) -> list[Replay]:
    """The same orders for every pruner."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(partial(replay, configurations, name), range(orders)))


def replay(configurations: Sequence[Configuration], name: str, seed: int) -> Replay:
    """Run the configurations one after the other in one random order."""
    study = optuna.create_study(direction="maximize", pruner=PRUNERS[name]())
    spent, left = 0, [0.0]
    order = random.Random(seed).sample(list(configurations), len(configurations))
    for one in order:
        stopped = run(study, one)
        spent += sum(min(epochs, stopped) for epochs in one.epochs)
        if stopped == len(one.kept):
            left.append(one.kept[-1])
    everything = sum(sum(one.epochs) for one in order)
    best = max(one.kept[-1] for one in order)
    return Replay(spent / everything, best - max(left), 1 - (len(left) - 1) / len(order))


def run(study: optuna.Study, one: Configuration) -> int:
    """Report a configuration's scores until the pruner stops it; give the epochs it got."""
    trial = study.ask()
    for epoch, score in enumerate(one.kept, start=1):
        trial.report(score, epoch)
        if epoch < len(one.kept) and trial.should_prune():
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            return epoch
    study.tell(trial, one.kept[-1])
    return len(one.kept)


def row(name: str, results: Sequence[Replay]) -> str:
    """A line of the table."""
    regrets = sorted(one.regret for one in results)
    low, high = np.quantile(regrets, [0.025, 0.975])
    share = statistics.median(one.share for one in results)
    pruned = statistics.median(one.pruned for one in results)
    return (
        f"| {name} | {share:.0%} | {statistics.median(regrets):.4f} | "
        f"{low:.4f} to {high:.4f} | {pruned:.0%} |"
    )


if __name__ == "__main__":
    main()
