"""One trial for people: its configuration, its folds, its curves, and all attempts at it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blood_hpo.cli.views.charts import curve, duration, sparkline
from blood_hpo.cli.views.snapshot import Row, ask
from blood_hpo.cli.views.tables import short

if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy import Engine

CURVE_WIDTH, CURVE_HEIGHT = 78, 8
SPARK_WIDTH = 40
LEFT = {"after each epoch", "state", "worker", "reason"}


@dataclass(frozen=True)
class TrialFacts:
    """What the database holds about a trial.

    Attributes:
        trial: Its row of the query ``trial``.
        curves: Rows of the query ``curves``; none before it has ended.
        reported: Rows of the query ``reported``.
        attempts: Rows of the query ``attempts``.
        collapsed: Its folds that learnt nothing.
    """

    trial: Row
    curves: Sequence[Row]
    reported: Sequence[Row]
    attempts: Sequence[Row]
    collapsed: frozenset[int] = frozenset()


def read_trial(engine: "Engine", study: str, number: int) -> TrialFacts | None:
    """Everything about one trial; None if there is none of that number.

    Raises:
        DatabaseError: The database cannot be reached.
    """
    asked: dict[str, Any] = {"study": study, "number": number}
    found = ask(engine, "trial", **asked)
    if not found:
        return None
    curves, reported, attempts = (
        ask(engine, name, **asked) for name in ("curves", "reported", "attempts")
    )
    collapsed = frozenset(
        row["fold"] for row in ask(engine, "collapsed", study=study) if row["number"] == number
    )
    return TrialFacts(found[0], curves, reported, attempts, collapsed)


def trial_view(facts: TrialFacts) -> Iterator["str | Table"]:
    """The parts of the view from top to bottom, lines and tables."""
    yield from _head(facts.trial)
    yield ""
    yield from _configuration(facts.trial)
    if facts.trial["fold_scores"]:
        yield ""
        yield _folds(facts)
        if facts.collapsed:
            folds = ", ".join(map(str, sorted(facts.collapsed)))
            yield f"learnt nothing, no better than chance: fold {folds}"
    scores = [row["score"] for row in facts.reported if row["score"] is not None]
    if scores:
        yield ""
        yield f"score after each epoch, 1 to {facts.reported[-1]['epoch']}"
        yield from curve(scores, CURVE_WIDTH, CURVE_HEIGHT)
    if len(facts.attempts) > 1:
        yield ""
        yield _attempts(facts)


def _head(trial: Row) -> Iterator[str]:
    score = "" if trial["score"] is None else f", score {trial['score']:.4f}"
    again = f", attempt {trial['attempt']}" if (trial["attempt"] or 1) > 1 else ""
    name = f"trial {trial['number']} of {trial['study']}"
    yield f"{name}: {trial['family']}, {trial['state']}{score}{again}"
    if trial["reason"]:
        yield f"reason: {trial['reason']}"
    started, worker = trial["started_at"], trial["worker"] or "-"
    if started:
        yield f"worker {worker}, begun {started:%Y-%m-%d %H:%M:%S} UTC, seed {trial['seed']}"
    if trial["epochs"]:
        yield (
            f"{trial['epochs']} epochs on all folds together in"
            f" {duration(trial['seconds'])}, {trial['parameter_count'] or 0:,} parameters"
        )


def _configuration(trial: Row) -> Iterator[str]:
    """What was searched, and apart from it what was fixed."""
    searched: Mapping[str, object] = trial["params"] or {}
    fixed = {name: value for name, value in (trial["config"] or {}).items() if name not in searched}
    for title, values in (("searched", searched), ("fixed", fixed)):
        words = [f"{name}={short(value)}" for name, value in values.items()]
        if words:
            yield f"{title + ':':<10}{' '.join(words)}"


def _folds(facts: TrialFacts) -> "Table":
    trial = facts.trial
    table = _table("fold", "score", "best epoch", "epochs", "after each epoch")
    for fold, score in enumerate(trial["fold_scores"], start=1):
        drawn = [
            row["validation"] if row["score"] is None else row["score"]
            for row in facts.curves
            if row["fold"] == fold
        ]
        table.add_row(
            str(fold),
            f"{score:.4f}",
            str(trial["fold_best_epochs"][fold - 1]),
            str(trial["fold_epochs"][fold - 1]),
            sparkline([one for one in drawn if one is not None], SPARK_WIDTH),
        )
    return table


def _attempts(facts: TrialFacts) -> "Table":
    table = _table("trial", "attempt", "state", "worker", "reason")
    for row in facts.attempts:
        table.add_row(
            str(row["number"]),
            str(row["attempt"]),
            row["state"],
            row["worker"] or "-",
            row["reason"] or "-",
        )
    return table


def _table(*names: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, justify="left" if name in LEFT else "right", overflow="fold")
    return table
