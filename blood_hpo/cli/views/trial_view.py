"""One trial for people: its configuration, its folds, its curves, and all attempts at it."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from blood_hpo.cli.output import cell, table, wrapped
from blood_hpo.cli.session import Row, ask, study_data
from blood_hpo.cli.views.charts import curve, sparkline
from blood_hpo.errors import StudyError
from blood_hpo.text import duration, rendered

if TYPE_CHECKING:
    from sqlalchemy import Engine

CURVE_WIDTH, CURVE_HEIGHT = 78, 8
SPARK_WIDTH = 40


def read_facts(engine: "Engine", study: str, number: int) -> Row:
    """The trial, rows of curves, reported and attempts, and its folds that collapsed, by name.

    A StudyError where there is no such study or trial.
    """
    study_data(engine, study)  # which must exist
    asked = partial(ask, engine, study=study, number=number)
    found = asked("trial")
    if not found:
        raise StudyError(
            f"study {study!r} has no trial {number}; see `blood-hpo trial list {study}`"
        )
    rows = {name: asked(name) for name in ("curves", "reported", "attempts")}
    collapsed = ask(engine, "collapsed", study=study)
    folds = [row["fold"] for row in collapsed if row["number"] == number]
    return {"trial": found[0], **rows, "collapsed": folds}


def trial_view(facts: Row, width: int) -> list[str]:
    """The lines of the view from top to bottom."""
    trial, names = facts["trial"], ("trial", "attempt", "state", "worker", "reason")
    scores = [row["score"] for row in facts["reported"] if row["score"] is not None]
    attempts = [(row["number"], *(row[name] for name in names[1:])) for row in facts["attempts"]]
    shown = {
        **facts,
        "configuration": list(_configuration(trial, width)),
        "folds": _folds(facts, width) if trial["fold_scores"] else (),
        "curve": curve(scores, CURVE_WIDTH, CURVE_HEIGHT) if scores else (),
        "attempts": list(table(names, attempts, width)) if len(attempts) > 1 else (),
    }
    return rendered(__package__, "trial.txt", {"duration": duration}, **shown).splitlines()


def _configuration(trial: Row, width: int) -> Iterator[str]:
    """What was searched, and apart from it what was fixed."""
    searched: Mapping[str, object] = trial["params"] or {}
    fixed = {name: value for name, value in (trial["config"] or {}).items() if name not in searched}
    for title, values in (("searched", searched), ("fixed", fixed)):
        if values:
            yield from wrapped(f"{title + ':':<10}{cell(values)}", width, rest=" " * 10)


def _folds(facts: Row, width: int) -> list[str]:
    measured = (facts["trial"][one] for one in ("fold_scores", "fold_best_epochs", "fold_epochs"))
    rows = [
        (fold, *values, sparkline(_drawn(facts, fold), SPARK_WIDTH))
        for fold, values in enumerate(zip(*measured, strict=True), start=1)
    ]
    names = ("fold", "score", "best epoch", "epochs", "after each epoch")
    return list(table(names, rows, width))


def _drawn(facts: Row, fold: int) -> list[float]:
    """A fold's score after each epoch, or its validation where it was not scored."""
    values = (
        row["validation"] if row["score"] is None else row["score"]
        for row in facts["curves"]
        if row["fold"] == fold
    )
    return [one for one in values if one is not None]
