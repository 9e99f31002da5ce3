"""Claims: each family gets exactly its budget of distinct configurations, whoever asks.

What has finished is read and configurations are proposed without any lock. Then one short
transaction creates the trial of the first proposal that does not collide with another worker's; the
keys of the database see to it that none is made twice or beyond the budget. A collision proposes
again.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from blood_hpo.database.record import TrialRecord, read_trial
from blood_hpo.database.statements import statement
from blood_hpo.search.history import FamilyStudy, History
from blood_hpo.search.optuna_private import parameter_row
from blood_hpo.search.proposer import Proposal, Proposer
from blood_hpo.search.space import MODEL, model_distribution
from blood_hpo.store.outage import Waiting, patiently
from blood_hpo.store.studies import SharedStudy
from blood_hpo.training.seeds import derive

COLLISIONS = 50  # proposals in a row that others were faster with; then others go first


@dataclass(frozen=True)
class Paused:
    """The study is paused; nothing is claimed until it is resumed."""

    reason: str


@dataclass(frozen=True)
class Busy:
    """Nothing to claim now, but unfinished trials may yet come back or unblock a stage."""


@dataclass(frozen=True)
class Finished:
    """No trial is unfinished or to be created, though ``closed`` families have budget left."""

    closed: tuple[str, ...] = ()


Found = TrialRecord | Paused | Busy | Finished
Places = Sequence[Row[Any]]
"""A row a family: paused, family, budget, closed, held, open; see `SharedStudy.standing`."""

Create = Callable[[Connection, Places], int | Busy | Finished]
"""Creates the next trial of a study: its number, or why there is none."""


def claim_trial(study: SharedStudy, worker: str, create: Create, stop: Waiting) -> Found:
    """Take a waiting trial or create one, waiting for the database if it is away.

    Raises:
        Interrupted: ``stop`` was set while the database was away.
        StudyError: The study has been deleted.
    """

    def attempt() -> Found:
        key = {"study_id": study.study_id, "worker": worker}
        with study.storage.plain() as connection:
            number = connection.execute(statement("take"), key).scalar()
            if number is None:
                standing = study.standing(connection)
                if standing[0].paused is not None:
                    return Paused(standing[0].paused)
                number = create(connection, standing)
            if not isinstance(number, int):
                return number
            return read_trial(connection, study.name, number) or Busy()

    return patiently(attempt, "claiming a trial", stop)


class Claims:
    """Claims trials of the search in one study for one worker."""

    def __init__(self, study: SharedStudy, worker: str) -> None:
        self.study, self.worker = study, worker
        self.proposers = {name: Proposer(study.spec, name) for name in study.spec.families}
        self.history = History({name: one.space for name, one in self.proposers.items()})

    def claim(self, stop: Waiting) -> Found:
        """Take the next trial: see `claim_trial`."""
        return claim_trial(self.study, self.worker, self._create, stop)

    def known(self, family: str) -> FamilyStudy:
        """The family's trials as they are now."""
        with self.study.storage.plain() as connection:
            self._refresh(connection)
        return self.history.families[family]

    def _refresh(self, connection: Connection) -> None:
        """Read what has changed since the last look."""
        newest, unfinished = self.history.newest, sorted(self.history.unfinished)
        looked = {"study_id": self.study.study_id, "newest": newest, "unfinished": unfinished}
        self.history.learn(connection.execute(statement("history"), looked))

    def _create(self, connection: Connection, standing: Places) -> int | Busy | Finished:
        """Propose and create, again while others are faster with the same configuration."""
        for collisions in range(COLLISIONS):
            self._refresh(connection)
            found = self._propose(standing, self.worker if collisions else "")
            if isinstance(found, Finished):  # unless a peer has claimed the last one meanwhile
                standing = self.study.standing(connection)
                return Busy() if any(row.open for row in standing) else found
            if isinstance(found, Busy):
                return found
            number = self._insert(connection, found)
            if number is not None:
                return number
            standing = self.study.standing(connection)
        return Busy()

    def _propose(self, standing: Places, salt: str) -> list[Proposal] | Busy | Finished:
        """Configurations of the family that has used the smallest share of its places."""
        if standing[0].paused is not None:
            return Busy()
        order = list(self.study.spec.families)
        left = [row for row in standing if row.held < row.budget and not row.closed]
        left.sort(key=lambda row: (row.held / row.budget, order.index(row.family)))
        exhausted, blocked = [], any(row.open for row in standing)
        for row in left:
            known = self.history.families[row.family]
            found = self.proposers[row.family].propose(known, salt)
            if found:
                return found
            exhausted += [] if found is None else [row.family]
            blocked = blocked or found is None
        return Busy() if blocked else Finished(tuple(exhausted))

    def _insert(self, connection: Connection, proposals: Sequence[Proposal]) -> int | None:
        family = proposals[0].configuration.family
        space = {MODEL: model_distribution(self.study.spec), **self.proposers[family].space}
        rows = [{"rank": rank, **self._candidate(one)} for rank, one in enumerate(proposals)]
        wanted = {"study_id": self.study.study_id, "family": family, "candidates": json.dumps(rows)}
        params = {one.configuration.config_hash: one.params for one in proposals}

        def told(made: Row[Any]) -> list[dict[str, object]]:
            values = {MODEL: family, **params[made.config_hash]}
            return [parameter_row(name, values[name], one) for name, one in space.items()]

        storage = self.study.storage
        return storage.create_trial(connection, self.worker, "new_configuration", wanted, told)

    def _candidate(self, one: Proposal) -> dict[str, Any]:
        """What the statement ``new_configuration`` is told of it."""
        digest = one.configuration.config_hash
        return {
            "config_hash": digest,
            "seed": derive(self.study.spec.seed, digest),
            "config": one.configuration.document,
            "params": one.params,
            "repeats_avoided": one.repeats_avoided,
        }
