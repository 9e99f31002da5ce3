"""Claims: each family gets exactly its budget of distinct configurations, whoever asks.

One transaction holds the study's claim lock while it counts the family's trials, proposes a
configuration that no trial has, and creates the trial. Counting and creating apart gives 47 trials
for a budget of 40 with eight workers, and a sampler that proposes outside the lock repeats itself.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from blood_hpo.search.family import FAMILY, FamilyStudy
from blood_hpo.search.proposer import Exhausted, Proposal, Proposer
from blood_hpo.search.space import MODEL, model_distribution
from blood_hpo.service.outage import Waiting, patiently
from blood_hpo.service.studies import SharedStudy
from blood_hpo.training.seeds import derive

COUNTED = (TrialState.WAITING, TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED)
"""States that use up a family's budget; a failed trial gives its place back."""

UNFINISHED = (TrialState.WAITING, TrialState.RUNNING)


@dataclass(frozen=True)
class Claim:
    """A running trial that this worker holds.

    Attributes:
        params: What tells it from the other trials of its family.
        attributes: Everything that was recorded when it was created.
    """

    trial_id: int
    number: int
    family: str
    config: Mapping[str, object]
    config_hash: str
    params: Mapping[str, object]
    attempt: int
    attributes: Mapping[str, object]

    @property
    def identity(self) -> str:
        """Equal for attempts at the same training, distinct for distinct ones of a study."""
        return f"{self.config_hash}-{self.attributes['seed']}"


@dataclass(frozen=True)
class Paused:
    """The study is paused; nothing is claimed until it is resumed."""

    reason: str


@dataclass(frozen=True)
class Busy:
    """Nothing to claim now, but unfinished trials may yet come back or unblock a stage."""


@dataclass(frozen=True)
class Finished:
    """No trial is unfinished, and there is none to create.

    Attributes:
        closed: Families that have budget left and nothing left to try.
    """

    closed: tuple[str, ...] = ()


class Decision(Protocol):
    """Which trial to create under the claim lock, and if none, why."""

    def __call__(self) -> FrozenTrial | None:
        """A template in state RUNNING, or None."""

    def nothing(self) -> Busy | Finished:
        """Why the last call returned None."""


def claim_trial(
    study: SharedStudy, worker: str, decision: Decision, stop: Waiting
) -> Claim | Paused | Busy | Finished:
    """Take a waiting trial or the one that is decided on, waiting for the database if it is away.

    Raises:
        Interrupted: ``stop`` was set while the database was away.
    """

    def attempt() -> Claim | Paused | Busy | Finished:
        reason = study.paused()
        if reason is not None:
            return Paused(reason)
        trial_id = study.storage.claim(study.study_id, worker, decision)
        if trial_id is None:
            return decision.nothing()
        return _claim_of(study.storage.get_trial(trial_id))

    return patiently(attempt, "claiming a trial", stop)


@dataclass
class Claims:
    """Claims trials of the search in one study for one worker."""

    study: SharedStudy
    worker: str
    proposers: dict[str, Proposer] = field(init=False)
    views: dict[str, FamilyStudy] = field(init=False)

    def __post_init__(self) -> None:
        families = self.study.spec.families
        self.proposers = {name: Proposer(self.study.spec, name) for name in families}
        self.views = {
            name: FamilyStudy(self.study.name, self.study.cached, name) for name in families
        }

    def claim(self, stop: Waiting) -> Claim | Paused | Busy | Finished:
        """Take the next trial, waiting for the database if it is away.

        Raises:
            Interrupted: ``stop`` was set while the database was away.
        """
        return claim_trial(self.study, self.worker, _Decision(self), stop)


@dataclass
class _Decision:
    """What to create under the claim lock, and if nothing, why."""

    claims: Claims
    exhausted: list[str] = field(default_factory=list)
    blocked: bool = False
    unfinished: bool = False

    def __call__(self) -> FrozenTrial | None:
        self.exhausted, self.blocked = [], False
        views = self.claims.views
        for view in views.values():
            view.refresh()
        states = {name: Counter(t.state for t in view.snapshot) for name, view in views.items()}
        self.unfinished = any(found[state] for found in states.values() for state in UNFINISHED)
        for family in self._families_by_need(states):
            template = self._template(family)
            if template is not None:
                return template
        return None

    def _families_by_need(self, states: Mapping[str, Counter[TrialState]]) -> list[str]:
        """Families with budget left, the one that has used the smallest share of it first."""
        budgets = self.claims.study.budgets()
        counted = {name: sum(found[s] for s in COUNTED) for name, found in states.items()}
        unspent = [name for name, budget in budgets.items() if counted[name] < budget]
        return sorted(unspent, key=lambda name: counted[name] / budgets[name])

    def _template(self, family: str) -> FrozenTrial | None:
        proposer = self.claims.proposers[family]
        found = proposer.propose(self.claims.views[family])
        if isinstance(found, Proposal):
            return _template(self.claims.study, family, found, proposer.space)
        if isinstance(found, Exhausted):
            self.exhausted.append(family)
        else:
            self.blocked = True
        return None

    def nothing(self) -> Busy | Finished:
        if self.blocked or self.unfinished:
            return Busy()
        return Finished(tuple(self.exhausted))


def _template(
    study: SharedStudy, family: str, proposal: Proposal, space: Mapping[str, BaseDistribution]
) -> FrozenTrial:
    return create_trial(
        state=TrialState.RUNNING,
        params={MODEL: family, **proposal.params},
        distributions={MODEL: model_distribution(study.spec), **space},
        user_attrs={
            FAMILY: family,
            "config": proposal.config,
            "config_hash": proposal.config_hash,
            "seed": derive(study.spec.seed, proposal.config_hash),
            "attempt": 1,
            "repeats_avoided": proposal.repeats_avoided,
        },
    )


def _claim_of(trial: FrozenTrial) -> Claim:
    return Claim(
        trial_id=trial._trial_id,
        number=trial.number,
        family=trial.user_attrs[FAMILY],
        config=trial.user_attrs["config"],
        config_hash=trial.user_attrs["config_hash"],
        params={name: value for name, value in trial.params.items() if name != MODEL},
        attempt=trial.user_attrs["attempt"],
        attributes=trial.user_attrs,
    )
