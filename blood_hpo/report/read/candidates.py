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
class Candidate:
    """A row of ``hpo.confirmations``, whose columns the database describes.

    Here `scores` are one list, split after split, and `collapsed` counts the folds that learnt
    nothing. All that compares it with the best is None where it was left out.
    """

    family: str
    number: int
    rank: int
    params: Json
    config_hash: str
    parameter_count: int
    search_score: float
    search_rank: int
    scores: Sequence[float]
    splits: int
    collapsed: int
    mean: float
    sd: float
    low: float | None
    high: float | None
    behind: float
    behind_low: float | None
    behind_high: float | None
    p_value: float | None
    separable: bool | None
    winner: bool
    left_out: str | None

    @property
    def by_split(self) -> list[list[float]]:
        """The scores, a list a split."""
        folds = len(self.scores) // self.splits
        return [list(self.scores[one * folds : (one + 1) * folds]) for one in range(self.splits)]


@dataclass(frozen=True)
class Confirmation:
    """The outcome of a confirmation.

    Attributes:
        families: Candidates by family, the winner first.
        left_out: Those that could not be compared.
    """

    families: Mapping[str, tuple[Candidate, ...]]
    left_out: tuple[Candidate, ...] = ()


def _candidate(row: Mapping[str, Any]) -> Candidate:
    """Scores and collapsed folds, which the database holds by split, follow one another."""
    scores, collapsed = row["scores"] or (), row["collapsed"] or ()
    folds = {
        "scores": [one for split in scores for one in split],
        "splits": len(scores),
        "collapsed": sum(map(sum, collapsed)),
    }
    known = {**row, **folds}
    return Candidate(**{one.name: known[one.name] for one in fields(Candidate)})


def read_confirmation(connection: "Connection", study: str) -> Confirmation | None:
    """The outcome of a study's confirmation, or None while there is none."""
    rows = connection.execute(statement("confirmed_candidates"), {"study": study}).mappings()
    found = [_candidate(dict(row)) for row in rows]
    compared = [one for one in found if one.left_out is None]
    families = sorted({one.family for one in compared}, key=family_place)
    if not compared:
        return None
    return Confirmation(
        {name: tuple(one for one in compared if one.family == name) for name in families},
        tuple(one for one in found if one.left_out is not None),
    )
