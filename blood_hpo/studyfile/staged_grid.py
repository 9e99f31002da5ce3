"""The staged grid: all combinations of a few hyperparameters at a time, the best kept for the next.

It is coordinate descent over groups of hyperparameters, as in the report this project extends,
except that no configuration is trained twice: results of earlier stages count in later ones.
"""

from collections.abc import Iterable, Mapping, Sequence

from blood_hpo.studyfile.schema import StudySpec

Params = Mapping[str, object]


def stage_plan(
    spec: StudySpec, family: str, finished: Sequence[tuple[Params, float | None]]
) -> tuple[Params, ...] | None:
    """What the first stage compares of which one has not finished, or None when all are done.

    The combinations, evaluated already or not, are in file order with the last hyperparameter
    varying fastest. Among them is what the stages before found best, or the start.
    ``finished`` are searched hyperparameters and value of all finished trials of the family, in any
    order; a trial whose value is None cannot win its stage.
    """
    names, one = list(spec.space(family)), spec.families[family]
    scores: dict[tuple[object, ...], float | None] = {}
    for params, value in finished:
        key = _key(params, names)
        scores[key] = value if scores.get(key) is None else scores[key]
    incumbent: Params = one.start or {}
    for stage in one.stages or ():
        rows = tuple({**incumbent, **row} for row in spec.rows(family, stage))
        if any(_key(row, names) not in scores for row in rows):
            return rows
        incumbent = _best([(row, scores[_key(row, names)]) for row in rows], incumbent)
    return None


def _key(params: Params, names: Iterable[str]) -> tuple[object, ...]:
    return tuple(params.get(name) for name in names)


def _best(results: Iterable[tuple[Params, float | None]], incumbent: Params) -> Params:
    """The first combination with the highest value; the incumbent if none has a value."""
    scored = [(row, value) for row, value in results if value is not None]
    return max(scored, key=lambda result: result[1])[0] if scored else incumbent
