"""One trial for people: its configuration, its folds, its curves, and all attempts at it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blood_hpo.cli.output import cell, duration, table, wrapped
from blood_hpo.cli.session import Row, ask, study_data
from blood_hpo.cli.views.charts import curve, sparkline
from blood_hpo.errors import StudyError

if TYPE_CHECKING:
    from sqlalchemy import Engine

CURVE_WIDTH, CURVE_HEIGHT = 78, 8
SPARK_WIDTH = 40


@dataclass(frozen=True)
class TrialFacts:
    """A trial, rows of the queries with these names, and its folds that learnt nothing."""

    trial: Row
    curves: Sequence[Row]
    reported: Sequence[Row]
    attempts: Sequence[Row]
    collapsed: frozenset[int] = frozenset()


def read_trial(engine: "Engine", study: str, number: int) -> TrialFacts:
    """Everything about one trial.

    Raises:
        StudyError: There is no such study, or no trial of that number.
    """
    study_data(engine, study)  # which must exist
    asked: dict[str, Any] = {"study": study, "number": number}
    found = ask(engine, "trial", **asked)
    if not found:
        raise StudyError(
            f"study {study!r} has no trial {number}; see `blood-hpo trial list {study}`"
        )
    curves, reported, attempts = (
        ask(engine, name, **asked) for name in ("curves", "reported", "attempts")
    )
    collapsed = frozenset(
        row["fold"] for row in ask(engine, "collapsed", study=study) if row["number"] == number
    )
    return TrialFacts(found[0], curves, reported, attempts, collapsed)


def trial_view(facts: TrialFacts, width: int) -> Iterator[str]:
    """The lines of the view from top to bottom."""
    yield from _head(facts.trial)
    yield ""
    yield from _configuration(facts.trial, width)
    if facts.trial["fold_scores"]:
        yield ""
        yield from _folds(facts, width)
    scores = [row["score"] for row in facts.reported if row["score"] is not None]
    if scores:
        yield ""
        yield f"score after each epoch, 1 to {facts.reported[-1]['epoch']}"
        yield from curve(scores, CURVE_WIDTH, CURVE_HEIGHT)
    if len(facts.attempts) > 1:
        yield ""
        names = ("trial", "attempt", "state", "worker", "reason")
        rows = [(row["number"], *(row[name] for name in names[1:])) for row in facts.attempts]
        yield from table(names, rows, width)


def _head(trial: Row) -> Iterator[str]:
    score = "" if trial["score"] is None else f", score {trial['score']:.4f}"
    again = f", attempt {trial['attempt']}" if (trial["attempt"] or 1) > 1 else ""
    name = f"trial {trial['number']} of {trial['study']}"
    yield f"{name}: {trial['family']}, {trial['state']}{score}{again}"
    if trial["reason"]:
        yield f"reason: {trial['reason']}"
    if trial["started_at"]:
        begun = f"{trial['started_at'].astimezone():%Y-%m-%d %H:%M:%S}"
        yield f"worker {trial['worker'] or '-'}, begun {begun}, seed {trial['seed']}"
    if trial["epochs"]:
        yield (
            f"{trial['epochs']} epochs on all folds together in"
            f" {duration(trial['seconds'])}, {trial['parameter_count'] or 0:,} parameters"
        )


def _configuration(trial: Row, width: int) -> Iterator[str]:
    """What was searched, and apart from it what was fixed."""
    searched: Mapping[str, object] = trial["params"] or {}
    fixed = {name: value for name, value in (trial["config"] or {}).items() if name not in searched}
    for title, values in (("searched", searched), ("fixed", fixed)):
        if values:
            yield from wrapped(f"{title + ':':<10}{cell(values)}", width, rest=" " * 10)


def _folds(facts: TrialFacts, width: int) -> Iterator[str]:
    trial = facts.trial
    rows = [
        (fold, score, best, epochs, sparkline(_drawn(facts, fold), SPARK_WIDTH))
        for fold, (score, best, epochs) in enumerate(
            zip(trial["fold_scores"], trial["fold_best_epochs"], trial["fold_epochs"], strict=True),
            start=1,
        )
    ]
    yield from table(("fold", "score", "best epoch", "epochs", "after each epoch"), rows, width)
    if facts.collapsed:
        folds = ", ".join(map(str, sorted(facts.collapsed)))
        yield f"learnt nothing, no better than chance: fold {folds}"


def _drawn(facts: TrialFacts, fold: int) -> list[float]:
    """A fold's score after each epoch, or its validation where it was not scored."""
    values = (
        row["validation"] if row["score"] is None else row["score"]
        for row in facts.curves
        if row["fold"] == fold
    )
    return [one for one in values if one is not None]
