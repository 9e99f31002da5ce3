"""Pruners on recorded learning curves: epochs spent, and what was lost by stopping early.

Every configuration of a finished, unpruned search is replayed in a random order: what it reported
after each epoch is reported again, and Optuna's own pruner decides. Where that is not known, the
mean over the folds of each one's best score so far stands in; it is a little higher. Nothing is
trained, so every pruner sees the same curves. Families are pruned apart, as in a study.

    python benchmarks/pruners.py

prints, for each pruner, the share of the epochs that it spends and its regret: how much lower the
score of the best configuration is that it left to the end. Medians and 95 % intervals of the
orders. The curves are those of the staged grid in `recorded_trials.json`; ``--study blood`` takes
those of a search under cosine schedules, which pruned the worst quarter itself, so that only what
it left to the end is replayed, and ``--published FILE`` those that the report's authors published.
"""

import argparse
import json
import os
import random
import statistics
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
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

FROM_EPOCH = {"paper-grid": (6, 11, 16), "blood": (4, 8, 12)}
"""Of each study the epochs from which a trial may be stopped: early, usual and late."""

START_EPOCH = 10  # of the searches that are replayed: from here on the best epoch is kept

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def pruners(early: int, usual: int, late: int) -> dict[str, BasePruner]:
    """By what they stop, when, and how many trials must have ended; 5 where nothing is said."""
    return {
        "none": NopPruner(),
        f"median, from epoch {early}": MedianPruner(5, early),
        f"median, from epoch {usual}": MedianPruner(5, usual),
        f"median, from epoch {late}": MedianPruner(5, late),
        f"median, from epoch {usual}, after 10 trials": MedianPruner(10, usual),
        f"worst quarter, from epoch {usual}": PercentilePruner(75.0, 5, usual),
        f"worst quarter, from epoch {late}": PercentilePruner(75.0, 5, late),
        f"worst tenth, from epoch {usual}": PercentilePruner(90.0, 5, usual),
        f"all but the best quarter, from epoch {usual}": PercentilePruner(25.0, 5, usual),
        "median, and 5 epochs without gain": PatientPruner(MedianPruner(5, usual), 5),
        f"successive halving, by 2 from {usual - 1}": SuccessiveHalvingPruner(usual - 1, 2),
        f"successive halving, by 3 from {early - 1}": SuccessiveHalvingPruner(early - 1, 3),
    }


class Configuration(NamedTuple):
    """What one configuration's training left: epochs by fold, reported means, and its score."""

    epochs: tuple[int, ...]
    kept: tuple[float, ...]
    score: float


class Replay(NamedTuple):
    """One order under one pruner: share of all epochs, and score lost."""

    share: float
    regret: float
    pruned: float


def main() -> None:
    """Replay the curves under every pruner and print a table a family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", choices=FROM_EPOCH, default="paper-grid")
    parser.add_argument("--published", type=Path, help="Learning curves of the report, JSON.")
    parser.add_argument("--orders", type=int, default=50, help="Random orders.")
    options = parser.parse_args()
    source, trials = options.study, recorded(options.study)
    families = by_family(
        (one.family, configuration(one.folds, one.score, one.reports))
        for one in trials
        if one.state == "COMPLETE"
    )
    if options.published:
        source = options.published.name
        families = published(json.loads(options.published.read_text("utf-8")))
    print(f"{machine()}, {source}, {options.orders} orders")
    for family, configurations in sorted(families.items()):
        print(f"\n### {family}: {len(configurations)} configurations\n")
        print("| pruner | epochs, % of all | regret | regret, 95 % of orders | pruned, % |")
        print("|---|---|---|---|---|")
        for name, pruner in pruners(*FROM_EPOCH[options.study]).items():
            print(row(name, replays(configurations, pruner, options.orders)), flush=True)


def published(curves: Iterable[dict[str, Any]]) -> dict[str, list[Configuration]]:
    """Configurations of the report's staged searches, each stage's as a trial of its own."""
    folds: dict[tuple[str, ...], list[list[float]]] = defaultdict(list)
    for one in curves:
        if one["role"] == "cv":
            config = json.dumps(one["config"], sort_keys=True)
            folds[one["model"], one["search"], one["stage"], config].append(one["val_acc"])
    return by_family((key[0], configuration(trial)) for key, trial in folds.items())


def by_family(trials: Iterable[tuple[str, Configuration]]) -> dict[str, list[Configuration]]:
    """Group configurations by the family that each is given with."""
    families: dict[str, list[Configuration]] = defaultdict(list)
    for family, one in trials:
        families[family].append(one)
    return families


def configuration(
    folds: Sequence[Sequence[float]],
    score: float | None = None,
    reports: Sequence[float] | None = None,
) -> Configuration:
    """What the folds scored after each epoch, the score and the reports; of these what is known.

    What was not reported is the mean over the folds of the best score so far; a fold that has
    stopped keeps its own.
    """
    longest = max(map(len, folds))
    if reports is None:
        reports = np.mean([best_so_far(fold, longest) for fold in folds], axis=0).tolist()
    return Configuration(
        tuple(map(len, folds)), tuple(reports), reports[-1] if score is None else score
    )


def best_so_far(scores: Sequence[float], length: int) -> list[float]:
    """The score kept after each epoch, from 1 to the length."""
    kept = []
    for epoch in range(1, length + 1):
        known = scores[:epoch]
        kept.append(max(known[START_EPOCH:] or known[-1:]))
    return kept


def replays(configurations: list[Configuration], pruner: BasePruner, orders: int) -> list[Replay]:
    """The same orders for every pruner."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(partial(replay, configurations, pruner), range(orders)))


def replay(configurations: Sequence[Configuration], pruner: BasePruner, seed: int) -> Replay:
    """Run the configurations one after the other in one random order."""
    study = optuna.create_study(direction="maximize", pruner=pruner)
    spent, left = 0, [0.0]
    order = random.Random(seed).sample(list(configurations), len(configurations))
    longest = max(len(one.kept) for one in order)
    for one in order:
        stopped = run(study, one, longest)
        spent += sum(min(epochs, stopped) for epochs in one.epochs)
        if stopped == len(one.kept):
            left.append(one.score)
    everything = sum(sum(one.epochs) for one in order)
    best = max(one.score for one in order)
    return Replay(spent / everything, best - max(left), 1 - (len(left) - 1) / len(order))


def run(study: optuna.Study, one: Configuration, longest: int) -> int:
    """Report a configuration's scores until the pruner stops it; give the epochs it got.

    To others a complete one shows its last score up to the longest, as in the program.
    """
    trial = study.ask()
    for epoch, score in enumerate(one.kept, start=1):
        trial.report(score, epoch)
        if epoch < len(one.kept) and trial.should_prune():
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            return epoch
    for epoch in range(len(one.kept) + 1, longest + 1):
        trial.report(one.kept[-1], epoch)
    study.tell(trial, one.score)
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
