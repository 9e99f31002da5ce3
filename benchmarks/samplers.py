"""Samplers on tables made from recorded trials: how good is what a search finds?

The score of every configuration of `studies/paper.toml` comes from a forest that was fitted to the
small searches in `recorded_trials.json`. A search sees that score with the noise of one training;
eight trials are in flight all the time and the oldest ends first. The program's own `Proposer`
proposes, so no configuration comes twice. Regret is how far the table's best is above the
configuration that looked best to the search.

    python benchmarks/samplers.py

takes about ten minutes of two cores. CMA-ES is missing: Optuna's takes no categories, of which
these spaces consist. Its Gaussian process needs PyTorch; ``--slow`` compares one of scikit-learn.
"""

import argparse
import os
import statistics
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
from gaussian_process import GaussianProcess
from optuna import Study
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, create_trial
from scipy.stats import qmc
from score_table import ScoreTable, score_table
from surroundings import machine

from blood_hpo.search.history import History
from blood_hpo.search.optuna_private import CompleteTPESampler
from blood_hpo.search.proposer import Proposer
from blood_hpo.studyfile.load import load
from blood_hpo.studyfile.schema import StudySpec

STUDIES = Path(__file__).parents[1] / "studies"
BUDGETS = {"mlp": 31, "cnn": 50}
IN_FLIGHT = 8
ORDERED = {"units", "batch_size", "filters", "kernel_size"}
Space = dict[str, BaseDistribution]

optuna.logging.set_verbosity(optuna.logging.WARNING)


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


class Sobol(CompleteTPESampler):
    """TPE whose first configurations are those of a scrambled Sobol sequence."""

    def __init__(self, search_seed: int, seed: int, first: int = 16) -> None:
        super().__init__(seed=seed, n_startup_trials=first)
        self._sequence, self._first = search_seed, first

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Space
    ) -> dict[str, object]:
        """The next point of the sequence, or what TPE says."""
        place = len(study.get_trials(deepcopy=False))
        if place >= self._first:
            return super().sample_relative(study, trial, search_space)
        points = qmc.Sobol(len(search_space), rng=self._sequence).random(self._first)
        return {
            name: one.choices[int(point * len(one.choices))]  # type: ignore[attr-defined]
            for point, (name, one) in zip(points[place], search_space.items(), strict=True)
        }


class Ordered(CompleteTPESampler):
    """TPE that knows that 64 units are nearer to 128 than to 1,024."""

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Space
    ) -> dict[str, object]:
        """What TPE says of the places of choices in their order."""
        places = {
            name: IntDistribution(0, len(one.choices) - 1) if name in ORDERED else one  # type: ignore[attr-defined]
            for name, one in search_space.items()
        }
        shown = optuna.create_study(direction="maximize")
        shown.add_trials([_in_places(one, places) for one in study.get_trials(deepcopy=False)])
        found = super().sample_relative(shown, trial, places)
        return {
            name: search_space[name].to_external_repr(value) if name in ORDERED else value  # type: ignore[arg-type]
            for name, value in found.items()
        }


def _in_places(trial: FrozenTrial, places: Space) -> FrozenTrial:
    params: dict[str, Any] = dict(trial.params)
    for name in ORDERED & params.keys():
        params[name] = int(trial.distributions[name].to_internal_repr(params[name]))
    return create_trial(state=trial.state, value=trial.value, params=params, distributions=places)


def _tpe(_search_seed: int, seed: int, **options: Any) -> BaseSampler:  # noqa: ANN401
    return CompleteTPESampler(seed=seed, **options)


SAMPLERS: dict[str, str | Callable[[int, int], BaseSampler]] = {
    "random": "random",
    "the report's staged grid": "staged_grid",
    "TPE after 10 random trials, as in use": "tpe",
    "TPE after 5": partial(_tpe, n_startup_trials=5),
    "TPE after 20": partial(_tpe, n_startup_trials=20),
    "TPE after 10, blind to trials in flight": partial(_tpe, constant_liar=False),
    "TPE after 10, best of 96 candidates": partial(_tpe, n_ei_candidates=96),
    "TPE after 16 of a Sobol sequence": Sobol,
    "TPE after 10, sizes in their order": lambda _, seed: Ordered(seed=seed),
    "Gaussian process after 10": GaussianProcess,
}
"""By name: what a study file calls it, or what makes it from the search's and a proposal's seed."""


class Found(NamedTuple):
    """Of one search: regret, trials until one was as good as the best, CPU seconds a proposal."""

    regret: float
    until: float
    seconds: float


class Compared(Proposer):
    """A proposer with the sampler of that name."""

    sampler_name = ""

    def _sampler(self, seed: int) -> BaseSampler:
        made = SAMPLERS[self.sampler_name]
        return super()._sampler(seed) if isinstance(made, str) else made(self.spec.seed, seed)


class Search:
    """One search of a table."""

    def __init__(self, table: ScoreTable, family: str, name: str, seed: int) -> None:
        self._table, self._family = table, family
        self._proposer = Compared(_spec(SAMPLERS[name], seed), family)
        self._proposer.sampler_name = name
        self._history = History({family: self._proposer.space})
        self._noise = table.noise * np.random.default_rng(seed).standard_normal(BUDGETS[family])
        self._flying: deque[Trial] = deque()
        self._landed: list[Trial] = []

    def run(self) -> Found:
        """Spend the budget."""
        begun, budget = time.process_time(), BUDGETS[self._family]
        while len(self._landed) < budget:
            room = min(IN_FLIGHT, budget - len(self._landed)) - len(self._flying)
            if room == 0 or not self._take_off():
                self._land()
        seconds = (time.process_time() - begun) / budget
        behind = [self._table.best - self._table.score(one.params) for one in self._landed]
        looks_best = np.argmax([one.value or 0.0 for one in self._landed])
        near = np.flatnonzero(np.array(behind) < self._table.noise)
        return Found(behind[looks_best], near[0] + 1 if len(near) else np.inf, seconds)

    def _take_off(self) -> bool:
        """Begin a trial, unless the next stage must wait for those in flight."""
        proposals = self._proposer.propose(self._history.families[self._family])
        if not isinstance(proposals, list):
            return False
        first, number = proposals[0], len(self._landed) + len(self._flying)
        digest = first.configuration.config_hash
        self._flying.append(Trial(number, self._family, "RUNNING", digest, first.params))
        self._learn(self._flying[-1])
        return True

    def _land(self) -> None:
        trial = self._flying.popleft()
        value = self._table.score(trial.params) + float(self._noise[len(self._landed)])
        self._landed.append(replace(trial, state="COMPLETE", value=value))
        self._learn(self._landed[-1])

    def _learn(self, trial: Trial) -> None:
        self._history.learn([trial])  # type: ignore[list-item] # which has what a row has


def _spec(made: object, seed: int) -> StudySpec:
    """The study of the report's spaces, by the report's stages where they are asked for."""
    staged = made == "staged_grid"
    document = load(STUDIES / ("paper-grid.toml" if staged else "paper.toml")).model_dump(
        mode="json"
    )
    sampler = {"name": made if isinstance(made, str) else "tpe"}
    return StudySpec.parse({**document, "seed": seed, "sampler": sampler}, "samplers")


def _search(table: ScoreTable, family: str, name: str, seed: int) -> Found:
    return Search(table, family, name, seed).run()


def _row(name: str, found: Sequence[Found]) -> str:
    regrets = [one.regret for one in found]
    mean, error = statistics.fmean(regrets), statistics.stdev(regrets) / len(regrets) ** 0.5
    low, high = np.quantile(regrets, [0.025, 0.975])
    until, cpu = (statistics.median(column) for column in list(zip(*found, strict=True))[1:])
    return (
        f"| {name} | {mean:.4f} ± {error:.4f} | {statistics.median(regrets):.4f}"
        f" ({low:.4f} to {high:.4f}) | {until:.0f} | {1000 * cpu:.0f} |"
    )


def main() -> None:
    """Search with every sampler and print a table a family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50, help="Searches by each sampler.")
    parser.add_argument("--slow", action="store_true", help="The Gaussian process as well.")
    options = parser.parse_args()
    seeds = options.seeds
    names = [name for name in SAMPLERS if options.slow or SAMPLERS[name] is not GaussianProcess]
    print(f"{machine()}, {IN_FLIGHT} in flight, {seeds} searches by each sampler")
    for family, budget in BUDGETS.items():
        table = score_table(load(STUDIES / "paper.toml"), family)
        print(
            f"\n### {family}: {budget} of {len(table.scores):,} configurations; the table is from"
            f" {table.trials} trials, R² {table.explained:.2f} out of bag\n\n"
            "| sampler | regret, mean ± standard error | median, 95 % of searches | trials until"
            f" within {table.noise:.4f}, median | CPU ms a trial |\n|---|---|---|---|---|"
        )
        for name in names:
            with ProcessPoolExecutor(os.cpu_count()) as pool:
                found = pool.map(partial(_search, table, family, name), range(seeds))
                print(_row(name, list(found)), flush=True)


if __name__ == "__main__":
    main()
