"""What a worker remembers of a study's trials, brought up to date by what has changed since.

Each family has a study of its own, in memory, for Optuna's samplers and pruners to ask: otherwise
every MLP trial would be pruned by the convolutional networks.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Row

from blood_hpo.search.optuna_private import MemoryStudy


class Reports(Mapping[int, float]):
    """The scores after each epoch, from 1, in an eighth of the memory of a dictionary.

    What was stopped early keeps its last score, as a stopped fold does in a trial: a pruner's bar,
    which complete trials set, would else be set by those alone that took longest.
    """

    def __init__(self, values: Sequence[float | None]) -> None:
        self._values = array("d", (math.nan if one is None else one for one in values))

    def __getitem__(self, epoch: int) -> float:
        known = len(self._values)
        if not known or epoch < 1:
            raise KeyError(epoch)
        return self._values[min(epoch, known) - 1]

    def __iter__(self) -> Iterator[int]:
        return iter(range(1, len(self._values) + 1))

    def __len__(self) -> int:
        return len(self._values)


class FamilyStudy(MemoryStudy):
    """The trials of one family, for Optuna's samplers and pruners; nothing is written through it.

    Attributes:
        seen: Identities of the configurations that have been tried, in any state.
        given_up: Numbers of the failed trials whose configuration is not tried again.
    """

    def __init__(self, family: str, distributions: Mapping[str, BaseDistribution]) -> None:
        super().__init__(family)
        self.seen: set[str] = set()
        self.given_up: set[int] = set()
        self._distributions = distributions

    def learn(self, row: Row[Any]) -> None:
        """Take in a trial, or what has become of it, as the statement ``history`` reads it."""
        self.seen.add(row.config_hash)
        if row.given_up:
            self.given_up.add(row.number)
        searched = {n: one for n, one in self._distributions.items() if n in row.params}
        self.remember(
            FrozenTrial(
                number=row.number,
                trial_id=row.number,
                state=TrialState[row.state],
                value=row.value,
                datetime_start=None,
                datetime_complete=None,
                params={name: row.params[name] for name in searched},
                distributions=searched,
                user_attrs={},
                system_attrs={},
                intermediate_values=Reports(row.reports or ()),  # type: ignore[arg-type]
            )
        )


class History:
    """The trials of a study by family.

    Attributes:
        families: A study for each.
        newest: Largest number of a trial that is known; -1 for none.
        unfinished: Numbers of the trials that had not ended when they were read.
    """

    def __init__(self, distributions: Mapping[str, Mapping[str, BaseDistribution]]) -> None:
        """Know nothing yet, of families that search these."""
        self.families = {name: FamilyStudy(name, one) for name, one in distributions.items()}
        self.newest = -1
        self.unfinished: set[int] = set()

    def learn(self, rows: Iterable[Row[Any]]) -> None:
        """Take in trials that are new or have changed, by number."""
        for row in rows:
            self.newest = max(self.newest, row.number)
            self.unfinished.discard(row.number)
            if row.state == "RUNNING":
                self.unfinished.add(row.number)
            self.families[row.family].learn(row)
