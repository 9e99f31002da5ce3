"""Which hyperparameters a family's score depended on, as far as the search can tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FEWEST_TRIALS = 20
"""Trials below which a forest fits noise."""

PARTS, SHUFFLES, SEED = 5, 4, 0

TREES = 50
"""More of them change an importance far less than other parts of the trials would."""


@dataclass(frozen=True)
class Importance:
    """How much a random forest's prediction of the score depends on each hyperparameter.

    Attributes:
        values: Mean and standard deviation, over shuffles and parts, of the R² that is lost when
            it is shuffled, by hyperparameter.
        held_out: R² on trials that the forest has not seen; near or below 0 it has learnt nothing.
        trials: Trials it was fitted to.
    """

    values: Mapping[str, tuple[float, float]]
    held_out: float
    trials: int


def importance(
    space: Mapping[str, Any], params: Sequence[Mapping[str, Any]], scores: Sequence[float]
) -> Importance | None:
    """Permutation importance on trials held out from the forest, or None where there are too few.

    A fifth of the trials is held out in turn; the errors are in units of the scores' variance. This
    is the importance for the forest, hence for the region that the search has looked at, and
    neither an effect size nor fANOVA. All trials scored after the same epoch, so that pruned ones
    count too.
    """
    y = np.array(scores, dtype=float)
    if len(y) < FEWEST_TRIALS or not space or not y.var():
        return None
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import KFold

    x = np.array([[encoded(space[key], one[key]) for key in space] for one in params])
    predicted, lost = np.empty(len(y)), []
    for seen, unseen in KFold(PARTS, shuffle=True, random_state=SEED).split(x):
        forest = RandomForestRegressor(TREES, random_state=SEED, min_samples_leaf=2)
        forest.fit(x[seen], y[seen])
        predicted[unseen] = forest.predict(x[unseen])
        found = permutation_importance(
            forest,
            x[unseen],
            y[unseen],
            scoring="neg_mean_squared_error",
            n_repeats=SHUFFLES,
            random_state=SEED,
        )
        lost.append(found.importances / y.var())
    each = np.concatenate(lost, axis=1)
    pairs = zip(each.mean(axis=1).tolist(), each.std(axis=1).tolist(), strict=True)
    held_out = float(1 - np.mean((y - predicted) ** 2) / y.var())
    return Importance(dict(zip(space, pairs, strict=True)), held_out, len(y))


def encoded(values: Any, value: Any) -> float:  # noqa: ANN401 - whatever a study file holds
    """A number for a tree to split on: the place among the choices, or the position in a range."""
    if isinstance(values, list):
        return float(values.index(value))
    return float(np.log(value)) if values.get("log") else float(value)
