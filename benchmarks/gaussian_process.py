"""A sampler that fits a Gaussian process, which Optuna's own needs PyTorch for."""

import warnings
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState
from score_table import encoded
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

warnings.filterwarnings("ignore", category=ConvergenceWarning)
Space = dict[str, BaseDistribution]
CANDIDATES = 1000  # drawn at random


class GaussianProcess(RandomSampler):
    """Proposes what is best by upper confidence bound: of random ones, and next to the best five.

    Trials in flight are taken to score what the process expects, so that it is surer there.
    """

    def __init__(self, _search_seed: int, seed: int, first: int = 10) -> None:
        super().__init__(seed)
        self._first = first

    def sample_relative(
        self, study: Study, _trial: FrozenTrial, search_space: Space
    ) -> dict[str, Any]:
        """The next configuration, or none while there are too few trials."""
        trials = study.get_trials(deepcopy=False)
        done = [one for one in trials if one.state == TrialState.COMPLETE]
        if len(done) < self._first:
            return {}
        candidates = self._candidates(study, done, search_space)
        choices = {name: [str(c) for c in one.choices] for name, one in search_space.items()}  # type: ignore[attr-defined]
        known, new = (encoded(rows, choices) for rows in ([one.params for one in done], candidates))
        scores = np.array([one.value for one in done])
        scores = (scores - scores.mean()) / (scores.std() or 1)
        kernel = Matern(np.ones(known.shape[1]), (0.1, 50), nu=2.5) + WhiteKernel(0.3, (1e-3, 2))
        process = GaussianProcessRegressor(kernel)
        process.fit(known, scores)
        flying = [one.params for one in trials if one.state == TrialState.RUNNING]
        if flying:
            there = encoded(flying, choices)
            expected = np.concatenate([scores, process.predict(there)])
            process = GaussianProcessRegressor(process.kernel_, optimizer=None)
            process.fit(np.concatenate([known, there]), expected)
        mean, deviation = process.predict(new, return_std=True)
        return candidates[int(np.argmax(mean + deviation))]

    def _candidates(
        self, study: Study, done: list[FrozenTrial], space: Space
    ) -> list[dict[str, Any]]:
        names = tuple(space)
        found = [
            {name: self.sample_independent(study, done[0], name, space[name]) for name in names}
            for _ in range(CANDIDATES)
        ]
        near = [
            {**one.params, name: choice}
            for one in sorted(done, key=lambda one: -(one.value or 0))[:5]
            for name in names
            for choice in space[name].choices  # type: ignore[attr-defined]
        ]
        seen = {tuple(map(one.params.get, names)) for one in study.get_trials(deepcopy=False)}
        return [row for row in found + near if tuple(map(row.get, names)) not in seen] or found
