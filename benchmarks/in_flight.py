"""Near-duplicates of TPE with many trials in flight: constant liar on and off.

32 trials are in flight all the time and the oldest ends first, in a continuous space of three
hyperparameters on which Hartmann's function of three variables stands in for training: SYNTHETIC.
The program's own `Proposer` proposes each of 150 trials; there is no database.

    python benchmarks/in_flight.py

takes about two minutes.
"""

import argparse
import math
import os
import statistics
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.samplers import BaseSampler
from surroundings import machine

from blood_hpo.search.history import FamilyStudy, History
from blood_hpo.search.proposer import CompleteTPESampler, Proposer
from blood_hpo.studyfile.schema import StudySpec

TRIALS, IN_FLIGHT, NEAR = 150, 32, 0.02
SPACE = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "weight_decay": {"low": 1e-4, "high": 1e-1, "log": True},
    "dropout": {"low": 0.0, "high": 0.5},
}
Point = NDArray[np.float64]
"""A configuration in the unit cube, shape (3,)."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Flight(NamedTuple):
    """What TPE proposed with many trials in flight: shares, distances of the unit cube, regret."""

    near: float
    smallest: float
    regret: float


@dataclass
class Trial:
    """A row of a history."""

    number: int
    family: str
    state: str
    config_hash: str
    params: Mapping[str, Any]
    given_up: bool = False
    value: float | None = None
    reports: Sequence[float | None] | None = None


class Truthful(Proposer):
    """TPE that does not look at what is in flight."""

    def _sampler(self, seed: int) -> BaseSampler:
        startup = self.spec.sampler.startup_trials
        return CompleteTPESampler(seed=seed, n_startup_trials=startup, constant_liar=False)


def main() -> None:
    """Propose with and without the liar and print how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="Repetitions.")
    seeds = parser.parse_args().seeds
    print(
        f"{machine()}, SYNTHETIC, {TRIALS} trials, {IN_FLIGHT} in flight, n ="
        f" {seeds} seeds, mean and standard deviation\n\n"
        "| constant liar | proposals within 2 % of one in flight | smallest distance | regret |\n"
        "|---|---|---|---|"
    )
    for name, kind in {"on, as in use": Proposer, "off": Truthful}.items():
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(partial(_fly, kind), range(seeds)))
        columns = [_mean(column) for column in zip(*found, strict=True)]
        print(f"| {name} | {' | '.join(columns)} |", flush=True)


def _fly(kind: type[Proposer], seed: int) -> Flight:
    """All trials of one seed."""
    family = {"mlp": {"budget": TRIALS, "space": SPACE}}
    spec = StudySpec.parse({"name": "flight", "seed": seed, "families": family}, "flight")
    proposer = kind(spec, "mlp")
    history = History({"mlp": proposer.space})
    flown: list[tuple[Point, Trial]] = []
    nearest: list[float] = []
    for number in range(TRIALS):
        if number >= IN_FLIGHT:
            _land(history, flown[number - IN_FLIGHT])
        point, row = _take_off(proposer, history.families["mlp"], number)
        history.learn([row])
        others = [one for one, _ in flown[-IN_FLIGHT + 1 :]]
        if number >= IN_FLIGHT + spec.sampler.startup_trials:
            nearest.append(float(np.abs(np.array(others) - point).max(axis=1).min()))
        flown.append((point, row))
    best = max(hartmann(point) for point, _ in flown)
    return Flight(statistics.fmean(one < NEAR for one in nearest), min(nearest), 3.86278 - best)


def _take_off(proposer: Proposer, known: FamilyStudy, number: int) -> tuple[Point, Trial]:
    proposals = proposer.propose(known)
    assert isinstance(proposals, list)
    params: dict[str, Any] = proposals[0].params
    digest = proposals[0].configuration.config_hash
    point = np.array([_unit(params[name], one) for name, one in proposer.space.items()])
    return point, Trial(number, "mlp", "RUNNING", digest, params)


def _mean(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f}"


def _land(history: History, flown: tuple[Point, Trial]) -> None:
    point, row = flown
    history.learn([replace(row, state="COMPLETE", value=hartmann(point))])


def _unit(value: float, within: Any) -> float:  # noqa: ANN401 - of a FloatDistribution
    """A value's place in its range, logarithmic where that is."""
    low, high, one = within.low, within.high, value
    if within.log:
        low, high, one = math.log(low), math.log(high), math.log(one)
    return float((one - low) / (high - low))


def hartmann(point: Point) -> float:
    """Hartmann's function of three variables in [0, 1], negated (Dixon and Szegö, 1978).

    Its maximum is 3.86278.
    """
    narrow = np.array([[3, 10, 30], [0.1, 10, 35]] * 2)
    centre = np.array(
        [[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]]
    )
    inner = (narrow * (point - centre / 10_000) ** 2).sum(axis=1)
    return float(np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-inner))


if __name__ == "__main__":
    main()
