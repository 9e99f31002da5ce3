"""Which hyperparameters a family's score depended on, as far as the search can tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blood_hpo.report.record import Trial

FEWEST_TRIALS = 20
"""Complete trials below which a forest fits noise."""

SHUFFLES = 20
TREES = 200
SEED = 0


@dataclass(frozen=True)
class Importance:
    """How much a random forest's prediction of the score depends on each hyperparameter.

    Attributes:
        values: Mean and standard deviation, over the shuffles, of the R² lost when this
            hyperparameter is shuffled among the trials, by hyperparameter.
        out_of_bag: R² of the forest on trials that a tree has not seen. Near or below 0 the forest
            has learnt nothing, and the importances mean nothing.
        trials: Complete trials it was fitted to.
    """

    values: Mapping[str, tuple[float, float]]
    out_of_bag: float
    trials: int


def importance(space: Mapping[str, Any], trials: Sequence[Trial]) -> Importance | None:
    """Permutation importance of a random forest, or None where there are too few trials.

    This is the importance for the forest, hence for the region that the search has looked at, and
    neither an effect size nor fANOVA.

    Args:
        space: What is searched: choices as a list, ranges as a mapping.
        trials: Complete trials with a score.
    """
    if len(trials) < FEWEST_TRIALS or not space:
        return None
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    x = np.array(
        [[_encoded(space[key], (one.params or {})[key]) for key in space] for one in trials]
    )
    y = np.array([one.score for one in trials], dtype=float)
    forest = RandomForestRegressor(TREES, oob_score=True, random_state=SEED, min_samples_leaf=2)
    forest.fit(x, y)
    found = permutation_importance(forest, x, y, n_repeats=SHUFFLES, random_state=SEED)
    pairs = zip(found.importances_mean.tolist(), found.importances_std.tolist(), strict=True)
    return Importance(dict(zip(space, pairs, strict=True)), float(forest.oob_score_), len(trials))


def marginal_means(
    space: Mapping[str, Any], trials: Sequence[Trial]
) -> list[tuple[str, object, NDArray[np.float64]]]:
    """Scores of the complete trials at each choice of each hyperparameter that has choices."""
    return [
        (key, choice, np.array([one.score for one in trials if (one.params or {})[key] == choice]))
        for key, choices in space.items()
        if isinstance(choices, list)
        for choice in choices
    ]


def _encoded(values: Any, value: Any) -> float:  # noqa: ANN401 - whatever a study file holds
    """A number for a tree to split on: the place among the choices, or the position in a range."""
    if isinstance(values, list):
        return float(values.index(value))
    return float(np.log(value)) if values.get("log") else float(value)
