"""A score for every configuration of a finite space, from the trials that were recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from recorded import recorded
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
        explained: R² on trials that a tree had not seen.
    """

    scores: Mapping[tuple[Any, ...], float]
    names: tuple[str, ...]
    trials: int
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
    known = (one for one in recorded() if one.study.startswith("paper"))  # of this space
    trials = [one for one in known if one.family == family and one.state == "COMPLETE"]
    choices = {name: sorted({str(one[name]) for one in every}) for name in names}
    forest = RandomForestRegressor(500, oob_score=True, random_state=0, max_features=0.6)
    forest.fit(_encoded([one.params for one in trials], choices), [one.score for one in trials])
    scores = map(float, forest.predict(_encoded(every, choices)))
    keys = (tuple(one[name] for name in names) for one in every)
    found = dict(zip(keys, scores, strict=True))
    return ScoreTable(found, names, len(trials), float(forest.oob_score_))


def _encoded(rows: Sequence[Params], choices: Mapping[str, Sequence[str]]) -> NDArray[np.float64]:
    return np.array([np.concatenate([_columns(row[name], choices[name]) for name in choices])
                     for row in rows])  # fmt: skip


def _columns(value: object, choices: Sequence[str]) -> list[float]:
    """A column a choice, and one for the size of numbers."""
    size = float(np.log2(value)) if isinstance(value, int) else NOT_A_NUMBER
    return [*(float(str(value) == one) for one in choices), size]
