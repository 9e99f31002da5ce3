"""What a confirmation left in the database: candidates on fresh folds, compared with the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from blood_hpo.database.record import Json
from blood_hpo.database.statements import statement
from blood_hpo.report.read.search_study import family_place

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Standing:
    """What a configuration's scores on fresh folds say, among those of its family.

    Attributes:
        rank: Place by mean, from 1; of equals the earlier candidate comes first.
        mean: Over all folds of all splits, as the sample deviation and the 95 % interval, which is
            None with too few folds.
        behind: Mean paired difference to the best mean, 0 or more. Its interval is simultaneous
            with those of the other candidates, and None for the best and with too few folds.
        p_value: Of that difference, two-sided, adjusted for all pairs; None as the interval.
        separable: Whether the difference is significant.
        winner: Whether the configuration wins by the report's text `winner-rule`.
    """

    rank: int
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


@dataclass(frozen=True)
class Candidate(Standing):
    """A row of ``hpo.confirmations``, whose columns the database describes.

    Its `scores` are `by_split` here, and `collapsed` counts the folds that learnt nothing. Of one
    that was left out there is no standing: all of it is None.
    """

    family: str
    number: int
    params: Json
    parameter_count: int
    search_score: float
    search_rank: int
    by_split: Sequence[Sequence[float]]
    collapsed: int
    left_out: str | None

    @property
    def scores(self) -> list[float]:
        """All of them, split after split."""
        return [one for split in self.by_split for one in split]


@dataclass(frozen=True)
class Confirmation:
    """Candidates by family, the winner first, and those that could not be compared."""

    families: Mapping[str, tuple[Candidate, ...]]
    left_out: tuple[Candidate, ...] = ()


def _candidate(row: Mapping[str, Any]) -> Candidate:
    collapsed = sum(map(sum, row["collapsed"] or ()))
    known = {**row, "by_split": row["scores"] or (), "collapsed": collapsed}
    return Candidate(**{one.name: known[one.name] for one in fields(Candidate)})


def read_confirmation(connection: "Connection", study: str) -> Confirmation | None:
    """The outcome of a study's confirmation, or None while there is none."""
    rows = connection.execute(statement("confirmed_candidates"), {"study": study}).mappings()
    found = [_candidate(dict(row)) for row in rows]
    compared = [one for one in found if one.left_out is None]
    names = sorted({one.family for one in compared}, key=family_place)
    families = {name: tuple(one for one in compared if one.family == name) for name in names}
    left_out = tuple(one for one in found if one.left_out is not None)
    return Confirmation(families, left_out) if families else None
