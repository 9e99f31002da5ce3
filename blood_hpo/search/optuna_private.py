"""All that this program takes from Optuna and optuna-dashboard besides what they document.

No other module does (the tables, which SQL reads, apart): `tests/contract/test_optuna.py` holds
both against the versions installed, and says what a new one has changed.
"""

import copy
import json
import logging
from collections.abc import Container
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.samplers import TPESampler
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

logging.getLogger("optuna.storages._in_memory").setLevel(logging.WARNING)  # a line a study


class CompleteTPESampler(TPESampler):
    """TPE that samples a whole configuration for a trial that does not exist yet.

    Optuna's own writes the sampled parameters to the running trial, for other workers to see before
    they are suggested one by one. Here a trial is created with all of them at once.
    """

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, object]:
        """Sample all parameters jointly, or none while there are too few finished trials."""
        return self._sample_relative(study, trial, search_space)


class MemoryStudy(optuna.Study):
    """A study for samplers and pruners to ask, whose trials are those of `remember`."""

    def __init__(self, name: str) -> None:
        storage = InMemoryStorage()
        storage.create_new_study([StudyDirection.MAXIMIZE], name)
        # The default sampler and pruner are never used: both are called with the study instead.
        super().__init__(name, storage, pruner=optuna.pruners.NopPruner())
        self._remembered: dict[int, FrozenTrial] = {}

    def remember(self, trial: FrozenTrial) -> None:
        """Take in a trial, or what has become of it; unlike Optuna's own, nothing is checked."""
        self._remembered[trial.number] = trial

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
        use_cache: bool = False,  # noqa: ARG002 - Optuna's signature; all is in memory
    ) -> list[FrozenTrial]:
        trials = self._remembered.values()
        found = [one for one in trials if states is None or one.state in states]
        return copy.deepcopy(found) if deepcopy else found


def parameter_row(name: str, value: object, distribution: BaseDistribution) -> dict[str, object]:
    """A parameter of a trial as Optuna's table ``trial_params`` holds it."""
    return {
        "name": name,
        "value": distribution.to_internal_repr(value),
        "distribution": distribution_to_json(distribution),
    }


def artifact_attribute(artifact_id: str, **described: str | None) -> dict[str, str]:
    """The row of ``trial_system_attributes`` by which Optuna links an artifact to its trial.

    It is ``described`` by its ``filename``, ``mimetype`` and ``encoding``.
    """
    # Optuna keeps what it says of a file as a text, which is stored as JSON once more.
    text = json.dumps(json.dumps({"artifact_id": artifact_id, **described}))
    return {"key": f"artifacts:{artifact_id}", "value_json": text}


def trial_key(trial: FrozenTrial) -> int:
    """Optuna's key of a trial, which is not its number."""
    return trial._trial_id


def page_document(study_id: int, trial: FrozenTrial, attributes: dict[str, Any]) -> dict[str, Any]:
    """What optuna-dashboard tells a page of a trial, given the study's system attributes."""
    from optuna_dashboard._serializer import serialize_frozen_trial

    return dict(serialize_frozen_trial(study_id, trial, attributes))


def read_each_trial_once(pages: "WSGIApplication") -> None:
    """Have optuna-dashboard look at a finished trial once for what it says of the whole study.

    Its own way is to look again, at every request, at all trials after the first unfinished one.
    The search spaces that it joins and intersects are the same after a second look.
    """
    from optuna_dashboard._inmemory_cache import _CachedExtraStudyProperty

    class SeenOnce(_CachedExtraStudyProperty):  # type: ignore[misc] # untyped
        def __init__(self) -> None:
            super().__init__()
            self._seen: set[int] = set()

        def update(self, trials: list[FrozenTrial]) -> None:
            super().update([trial for trial in trials if trial_key(trial) not in self._seen])
            self._seen.update(trial_key(trial) for trial in trials if trial.state.is_finished())

    class Studies(dict[int, SeenOnce]):
        def get(self, study_id: int, _: object = None) -> SeenOnce:
            return self.setdefault(study_id, SeenOnce())

    pages._inmemory_cache._cached_extra_study_property_cache = Studies()  # type: ignore[attr-defined]
