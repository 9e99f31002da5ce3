"""What the note of a study says, in the Markdown that optuna-dashboard shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
BAR = r"\|"
"""A bar in a cell of a table."""

HOW_TO_READ = """
## How to read these pages

- A trial is one configuration, trained on all folds at once. Its value is the mean score on the
  held-out folds, at the epoch that early stopping restores; it stops early on the validation split,
  so the scored images decide nothing.
- The families share this study, and each has a budget, a sampler and a pruner of its own. Compare
  trials within a family: filter by the parameter `model`.
- *Pruned* trials were stopped because others of their family were better at the same epoch. They
  count against the budget; their value is of fewer epochs. *Failed* trials do not count.
- Each trial's page has its score on every fold, seconds, worker and number of parameters, and how
  it was doing after each epoch. Trials that were among the best ten of their family when they ended
  have pictures: the learning curves of all folds, and which classes are confused.
- Scores of one configuration move from run to run, most of all in the search, which reports the
  luckiest of many: trust the confirmed means and the report.
"""


@dataclass(frozen=True)
class Facts:
    """What a note is made of.

    Attributes:
        study_id: Optuna's key of the study.
        study: Its name.
        description: One line for people.
        objective: The score that is maximised.
        folds: Folds of a trial.
        data_fraction: Share of the training split that is used.
        data_label: What the data set is.
        data_sha256: Its checksum.
        synthetic: Whether it is synthetic.
        paused: Why the study is paused, or None.
        last_activity_at: Latest start or end of a trial, naive UTC; None before the first.
        stage_of: The study whose final stage this one is, or None.
        progress: Rows of the query ``progress``.
        best: Rows of the query ``leaderboard``.
        models: Rows of the query ``models``.
    """

    study_id: int
    study: str
    description: str | None
    objective: str
    folds: int
    data_fraction: float
    data_label: str
    data_sha256: str
    synthetic: bool
    paused: str | None
    last_activity_at: datetime | None
    stage_of: str | None
    progress: Sequence[Row]
    best: Sequence[Row]
    models: Sequence[Row]


def note_text(facts: Facts) -> str:
    """The note of a search, or the shorter one of a stage that follows it."""
    parts = [f"# {facts.study}", facts.description or "", _state(facts), _progress(facts)]
    if facts.stage_of:
        parts += [_best(facts) if not facts.models else "", _models(facts)]
        parts.append(f"The search is the study *{facts.stage_of}*, whose note explains the pages.")
    else:
        parts += [_goal(facts), _best(facts), _models(facts), HOW_TO_READ]
    parts.append(_report(facts))
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _state(facts: Facts) -> str:
    if facts.paused:
        state = f"paused: {facts.paused}"
    elif facts.progress and all(row["remaining"] == 0 for row in facts.progress):
        state = "finished"
    elif any(row["running"] for row in facts.progress):
        state = "running"
    else:
        state = "waiting for workers"
    at = facts.last_activity_at
    since = f"; the last trial began or ended at {at:%Y-%m-%d %H:%M} UTC" if at else ""
    return f"**{state[:1].upper()}{state[1:]}**{since}."


def _goal(facts: Facts) -> str:
    label = f"**{facts.data_label}**" if facts.synthetic else facts.data_label
    return (
        f"The search maximises the mean {facts.objective.replace('_', ' ')} over {facts.folds}"
        f" held-out folds, on {facts.data_fraction:.0%} of the training split of {label} (SHA-256"
        f" `{facts.data_sha256}`). The test split is not touched."
    )


def _progress(facts: Facts) -> str:
    rows = [
        (
            row["family"],
            f"{row['counted']} of {row['budget']}",
            row["pruned"],
            row["failed"],
            row["running"],
            _score(row["best_score"]),
            _minutes(row["eta_seconds"] if row["remaining"] else 0),
        )
        for row in facts.progress
    ]
    return _table(
        ("family", "trials done", "pruned", "failed", "running", "best score", "time left"), rows
    )


def _best(facts: Facts) -> str:
    parts = []
    for family in dict.fromkeys(row["family"] for row in facts.best):
        rows = [
            (
                row["rank"],
                f"[{row['number']}]({_link(facts, row['number'])})",
                f"{_score(row['score'])} ± {_score(row['sd'])}",
                f"{row['parameter_count'] or 0:,}",
                f"{row['seconds'] or 0:.0f}",
                " ".join(f"`{name}={_short(value)}`" for name, value in row["params"].items()),
            )
            for row in facts.best
            if row["family"] == family
        ]
        names = ("rank", "trial", "score ± sd of the folds", "parameters", "seconds", "searched")
        parts.append(f"## Best of {family}\n\n{_table(names, rows)}")
    return "\n\n".join(parts)


def _models(facts: Facts) -> str:
    rows = [
        (
            row["family"],
            row["recipe"],
            row["seed_number"],
            f"{row['parameter_count']:,}",
            f"{row['test_accuracy']:.4f}",
            row["test_errors"],
        )
        for row in facts.models
    ]
    names = ("family", "from", "seed", "parameters", "test accuracy", "errors")
    return f"## Retrained and tested once\n\n{_table(names, rows)}" if rows else ""


def _report(facts: Facts) -> str:
    whole = facts.stage_of or facts.study
    return (
        f"**Report**: `blood-hpo report {whole}` writes it; the containers serve it, when the study"
        f" is finished, on port 8081 of their machine, under `{whole}/`."
    )


def _link(facts: Facts, number: int) -> str:
    return f"/dashboard/studies/{facts.study_id}/trials?numbers={number}"


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(
        f"| {' | '.join(str(cell).replace('|', BAR) for cell in line)} |" for line in lines
    )


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _minutes(seconds: float | None) -> str:
    """Rounded up so that a note does not change with every second."""
    if seconds is None:
        return "-"
    return f"{-(-seconds // 60):.0f} min" if seconds else "none"
