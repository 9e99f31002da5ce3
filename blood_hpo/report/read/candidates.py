"""What a confirmation left in the database: candidates on fresh folds, compared with the winner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blood_hpo.database.record import Json
from blood_hpo.database.statements import statement
from blood_hpo.report.read.search_study import family_place

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Candidate:
    """A configuration on fresh folds, as ``hpo.confirmations`` has it.

    `behind` and what follows compare it with the best mean; all comparisons are None where it was
    left out.

    Attributes:
        family: Model family.
        number: Number of the search's trial that found it.
        rank: Place among the confirmed means, from 1.
        params: What was searched.
        config_hash: Identity of family and configuration.
        parameter_count: Trainable parameters.
        search_score: What the search had measured.
        search_rank: Its place there.
        scores: The objective on each fold, split after split.
        splits: How many fresh splits these are of.
        collapsed: Folds on which the network has learnt nothing.
        mean: Over all splits and folds.
        sd: Sample standard deviation over the same.
        low: Lower end of the interval of the mean; None with too few folds.
        high: Upper end.
        behind: Mean paired difference to the best mean, 0 or more.
        behind_low: Lower end of its interval; None for the best, and with too few folds.
        behind_high: Upper end.
        p_value: Of that difference, adjusted for all pairs of candidates.
        separable: Whether the difference is significant.
        winner: Whether it wins, by `stages.WINNER_RULE`.
        left_out: Why it could not be compared; None if it was.
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


def read_confirmation(connection: "Connection", study: str) -> Confirmation | None:
    """The outcome of a study's confirmation, or None while there is none."""
    rows = connection.execute(statement("confirmed_candidates"), {"study": study}).mappings()
    found = [Candidate(**row) for row in rows]
    compared = [one for one in found if one.left_out is None]
    families = sorted({one.family for one in compared}, key=family_place)
    if not compared:
        return None
    return Confirmation(
        {name: tuple(one for one in compared if one.family == name) for name in families},
        tuple(one for one in found if one.left_out is not None),
    )
