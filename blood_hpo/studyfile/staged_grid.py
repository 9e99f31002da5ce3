"""The staged grid: all combinations of a few hyperparameters at a time, the best kept for the next.

It is coordinate descent over groups of hyperparameters, as in the report this project extends,
except that no configuration is trained twice: results of earlier stages count in later ones.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from blood_hpo.studyfile.schema import StudySpec

Params = Mapping[str, object]


@dataclass(frozen=True)
class StagePlan:
    """The stage that a staged grid is in.

    Attributes:
        index: Number of the stage, counted from 0.
        incumbent: What the stages before found best; before the first, the start.
        combinations: Everything this stage compares, evaluated already or not, in file order with
            the last hyperparameter varying fastest; the incumbent is among them.
    """

    index: int
    incumbent: Params
    combinations: tuple[Params, ...]


def stage_plan(
    spec: StudySpec, family: str, finished: Sequence[tuple[Params, float | None]]
) -> StagePlan | None:
    """The first stage with a combination that has not finished, or None when all are done.

    Args:
        spec: A study with the sampler "staged_grid".
        family: One of its families.
        finished: Searched hyperparameters and value of all finished trials of the family, in any
            order; the value None stands for a trial without one, which cannot win its stage.
    """
    names = list(spec.space(family))
    scores: dict[tuple[object, ...], float | None] = {}
    for params, value in finished:
        key = _key(params, names)
        scores[key] = value if scores.get(key) is None else scores[key]
    incumbent: Params = dict(spec.families[family].start or {})
    for index, stage in enumerate(spec.families[family].stages or ()):
        rows = tuple(_combinations(spec, family, stage, incumbent))
        if any(_key(row, names) not in scores for row in rows):
            return StagePlan(index, incumbent, rows)
        incumbent = _best([(row, scores[_key(row, names)]) for row in rows], incumbent)
    return None


def _key(params: Params, names: Iterable[str]) -> tuple[object, ...]:
    return tuple(params.get(name) for name in names)


def _combinations(
    spec: StudySpec, family: str, stage: Sequence[str], incumbent: Params
) -> Iterable[Params]:
    space = spec.space(family)
    for values in itertools.product(*(space[name].values or () for name in stage)):
        yield {**incumbent, **dict(zip(stage, values, strict=True))}


def _best(results: Iterable[tuple[Params, float | None]], incumbent: Params) -> Params:
    """The first combination with the highest value; the incumbent if none has a value."""
    scored = [(row, value) for row, value in results if value is not None]
    return max(scored, key=lambda result: result[1])[0] if scored else incumbent
