"""Trials as the database would give them to a worker's history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from blood_hpo.search.history import FamilyStudy
from blood_hpo.search.proposer import Proposal, Proposer


@dataclass(frozen=True)
class _Row:
    """A row of the statement ``history``."""

    number: int
    family: str = "mlp"
    state: str = "COMPLETE"
    config_hash: str = "0" * 16
    params: dict[str, object] = field(default_factory=dict)
    given_up: bool = False
    value: float | None = None
    reports: Sequence[float | None] | None = None


Row: Callable[..., Any] = _Row
"""Has what the program reads of a row of SQLAlchemy, and is none."""


def family_with(proposer: Proposer) -> FamilyStudy:
    return FamilyStudy(proposer.family, proposer.space)


def learn(
    known: FamilyStudy,
    proposal: Proposal,
    state: str = "COMPLETE",
    value: float | None = None,
    *,
    given_up: bool = False,
) -> None:
    """Have a family's history know a trial of a proposal."""
    number = len(known.get_trials(deepcopy=False))
    digest = proposal.configuration.config_hash
    row = Row(number, known.study_name, state, digest, dict(proposal.params), given_up, value)
    known.learn(row)
