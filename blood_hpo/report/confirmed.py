"""What a confirmation left in the database: candidates on fresh folds, compared with the winner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from blood_hpo.report.record import Json, attributes, family_place

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True)
class Candidate:
    """A configuration on fresh folds; `behind` and what follows compare it with the best mean.

    Attributes:
        trial: Number of the trial that found it.
        rank: Place among the confirmed means, from 1.
        params: What was searched.
        config_hash: Identity of family and configuration.
        parameter_count: Trainable parameters.
        search_score: What the search had measured.
        search_rank: Its place there.
        scores: The objective by split and fold.
        mean: Over all splits and folds.
        sd: Sample standard deviation over the same.
        low: Lower end of the interval of the mean; None with too few folds.
        high: Upper end.
        behind: Mean paired difference to the best mean, 0 or more.
        behind_low: Lower end of its interval; None for the best, and with too few folds.
        behind_high: Upper end.
        p_value: Of that difference, adjusted for all pairs of candidates.
        separable: Whether the difference is significant.
        winner: Whether it wins; the rule stands in the confirmation.
        collapsed: Whether each fold has collapsed, by split.
    """

    trial: int
    rank: int
    params: Json
    config_hash: str
    parameter_count: int
    search_score: float
    search_rank: int
    scores: Sequence[Sequence[float]]
    mean: float
    sd: float
    low: float | None
    high: float | None
    behind: float
    behind_low: float | None
    behind_high: float | None
    p_value: float | None
    separable: bool
    winner: bool
    collapsed: Sequence[Sequence[bool]]


@dataclass(frozen=True)
class Confirmation:
    """The outcome of a confirmation.

    Attributes:
        method: How the intervals were computed, in a sentence.
        winner_rule: How the winner is chosen.
        splits: Fresh splits.
        folds: Folds of each.
        families: Candidates by family, the winner first.
    """

    method: str
    winner_rule: str
    splits: int
    folds: int
    families: Mapping[str, tuple[Candidate, ...]]


def read_confirmation(engine: "Engine", study: str) -> Confirmation | None:
    """The outcome of a study's confirmation, or None while there is none."""
    noted = attributes(engine, f"{study}-confirm").get("confirmation")
    if noted is None:
        return None
    return Confirmation(
        method=noted["method"],
        winner_rule=noted["winner_rule"],
        splits=noted["splits"],
        folds=noted["folds"],
        families={
            family: tuple(_candidate(row) for row in noted["families"][family]["candidates"])
            for family in sorted(noted["families"], key=family_place)
            if noted["families"][family]["candidates"]
        },
    )


def _candidate(row: Json) -> Candidate:
    return Candidate(**{field.name: row[field.name] for field in fields(Candidate)})
