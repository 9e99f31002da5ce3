"""One family's view of the shared study: its sampler and pruner see this family's trials alone.

Without it every MLP trial is compared with, and pruned by, the convolutional networks, and the
sampler models the parameters that the families happen to share.
"""

import copy
from collections.abc import Container

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

FAMILY = "family"
"""Trial user attribute that names the family."""


class FamilyStudy(optuna.Study):
    """A snapshot of a study, narrowed to the trials of one family.

    Optuna's samplers and pruners read trials through ``get_trials`` and ``_get_trials``, several
    times for one decision; both answer from the snapshot. Nothing is written through this view.

    Attributes:
        family: Name of the family.
        snapshot: The family's trials by number, as of the last `refresh`.
    """

    def __init__(self, study_name: str, storage: BaseStorage, family: str) -> None:
        # The default sampler and pruner are never used: both are called with the view instead.
        super().__init__(study_name, storage, pruner=optuna.pruners.NopPruner())
        self.family = family
        self.snapshot: list[FrozenTrial] = []

    def refresh(self) -> None:
        """Read the trials again; finished ones come from the storage's cache."""
        trials = self._storage.get_all_trials(self._study_id, deepcopy=False)
        self.snapshot = [trial for trial in trials if trial.user_attrs.get(FAMILY) == self.family]

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
        use_cache: bool = False,  # noqa: ARG002 - Optuna's signature; a snapshot is a cache
    ) -> list[FrozenTrial]:
        found = [one for one in self.snapshot if states is None or one.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Trials of this family by number."""
        return self._get_trials(deepcopy, states)
