"""A score for every configuration of `studies/paper.toml`, from trials that were recorded.

They are those of searches of its space on a tenth of the images, which are cheap enough to be many.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from recorded import Recorded, recorded
from sklearn.ensemble import RandomForestRegressor

from blood_hpo.studyfile.schema import StudySpec

Params = Mapping[str, Any]
NOT_A_NUMBER = 5.0
"""In a column of logarithms."""


@dataclass(frozen=True)
class ScoreTable:
    """What a forest foretells of each configuration of a family.

    Attributes:
        scores: By the values of the hyperparameters, in the order of `names`.
        names: The hyperparameters.
        trials: Recorded trials that it was fitted to.
        noise: Standard deviation of one configuration's score from one search to another.
        explained: R² on trials that a tree had not seen.
    """

    scores: Mapping[tuple[Any, ...], float]
    names: tuple[str, ...]
    trials: int
    noise: float
    explained: float

    def score(self, params: Params) -> float:
        """The score of a configuration, without noise."""
        return self.scores[tuple(params[name] for name in self.names)]

    @property
    def best(self) -> float:
        """The highest score."""
        return max(self.scores.values())


def score_table(spec: StudySpec, family: str) -> ScoreTable:
    """Fit a forest to the complete trials of a family and ask it for the whole space."""
    names = tuple(spec.space(family))
    every = list(spec.rows(family, list(spec.space(family))))
    known = (one for one in recorded() if one.study.startswith("small-paper"))
    trials = [one for one in known if one.family == family and one.state == "COMPLETE"]
    choices = {name: sorted({str(one[name]) for one in every}) for name in names}
    forest = RandomForestRegressor(500, oob_score=True, random_state=0, max_features=0.6)
    forest.fit(encoded([one.params for one in trials], choices), [one.score for one in trials])
    scores = map(float, forest.predict(encoded(every, choices)))
    keys = (tuple(one[name] for name in names) for one in every)
    found = dict(zip(keys, scores, strict=True))
    return ScoreTable(found, names, len(trials), _noise(trials), float(forest.oob_score_))


def _noise(trials: Sequence[Recorded]) -> float:
    """Pooled over the configurations that several searches trained."""
    again = defaultdict(list)
    for one in trials:
        again[tuple(sorted(one.params.items()))].append(one.score)
    several = [scores for scores in again.values() if len(scores) > 1]
    squares = sum(statistics.variance(scores) * (len(scores) - 1) for scores in several)
    return math.sqrt(squares / sum(len(scores) - 1 for scores in several))


def encoded(rows: Sequence[Params], choices: Mapping[str, Sequence[str]]) -> NDArray[np.float64]:
    """The rows as numbers, (rows, columns), given the choices of each hyperparameter as text."""
    return np.array([np.concatenate([_columns(row[name], choices[name]) for name in choices])
                     for row in rows])  # fmt: skip


def _columns(value: object, choices: Sequence[str]) -> list[float]:
    """A column a choice, and one for the size of numbers."""
    size = float(np.log2(value)) if isinstance(value, int) else NOT_A_NUMBER
    return [*(float(str(value) == one) for one in choices), size]
