"""Which configuration a family tries next: never one that it has tried before.

A proposal is made before its trial exists, so that a trial is born with its whole configuration in
one transaction. Samplers are seeded anew for each proposal from the study's seed and the number of
trials so far: a study of one worker is reproducible, and so is one that was interrupted.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from blood_hpo.models.hyperparameters import config_hash
from blood_hpo.search.family import FamilyStudy
from blood_hpo.search.space import Params, combinations, family_distributions
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.studyfile.stages import stage_plan
from blood_hpo.training.seeds import derive

ATTEMPTS = 20
"""Samples drawn from a sampler before the remaining configurations are looked at one by one."""

ENUMERABLE = 200_000
"""Largest finite space whose unseen configurations are listed when sampling finds none."""


@dataclass(frozen=True)
class Proposal:
    """A configuration to try.

    Attributes:
        params: The searched parameters.
        config: The whole configuration.
        config_hash: Its identity.
        repeats_avoided: Samples drawn before this one that had been tried already.
    """

    params: Params
    config: dict[str, object]
    config_hash: str
    repeats_avoided: int = 0


@dataclass(frozen=True)
class Wait:
    """Nothing can be proposed until running trials have finished (a stage of a staged grid)."""


@dataclass(frozen=True)
class Exhausted:
    """Every configuration of the family's space has been tried."""


class CompleteTPESampler(TPESampler):
    """TPE that samples a whole configuration for a trial that does not exist yet.

    Optuna's own writes the sampled parameters to the running trial, for other workers to see before
    they are suggested one by one. Here a trial is created with all of them at once.
    """

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, object]:
        """Sample all parameters jointly, or none while there are too few finished trials."""
        return self._sample_relative(study, trial, search_space)


@dataclass
class Proposer:
    """Proposes configurations for one family of a study."""

    spec: StudySpec
    family: str
    space: dict[str, BaseDistribution] = field(init=False)

    def __post_init__(self) -> None:
        self.space = family_distributions(self.spec, self.family)

    def propose(self, view: FamilyStudy) -> Proposal | Wait | Exhausted:
        """The next configuration of this family, which none of its trials in any state has.

        Args:
            view: The family's trials, refreshed by the caller under the claim lock.
        """
        trials = view.snapshot
        seen = {trial.user_attrs.get("config_hash") for trial in trials}
        if self.spec.sampler.name == "staged_grid":
            return self._staged(trials, seen)
        if self.spec.sampler.name == "grid":
            rows = combinations(self.spec, self.family)
            return self._first_unseen(rows, seen) or Exhausted()
        seed = derive(self.spec.seed, "sampler", self.family, len(trials))
        found = self._sampled(view, seed, seen)
        return found or self._leftover(view, seed, seen)

    def _sampled(self, view: FamilyStudy, seed: int, seen: set[str | None]) -> Proposal | None:
        for drawn, row in enumerate(self._samples(view, seed)):
            found = self._proposal(row)
            if found.config_hash not in seen:
                return replace(found, repeats_avoided=drawn)
        return None

    def _samples(self, view: FamilyStudy, seed: int) -> Iterator[Params]:
        sampler = self._sampler(seed)
        independent = RandomSampler(seed=derive(seed, "independent"))
        unborn = _unborn()
        for _ in range(ATTEMPTS):
            joint = sampler.sample_relative(view, unborn, self.space)
            yield {
                name: joint[name]
                if name in joint
                else independent.sample_independent(view, unborn, name, dist)
                for name, dist in self.space.items()
            }

    def _sampler(self, seed: int) -> BaseSampler:
        if self.spec.sampler.name == "random":
            return RandomSampler(seed=seed)
        return CompleteTPESampler(seed=seed, n_startup_trials=self.spec.sampler.startup_trials)

    def _leftover(
        self, view: FamilyStudy, seed: int, seen: set[str | None]
    ) -> Proposal | Exhausted:
        """A random one of the configurations that are left in a finite space."""
        size = self.spec.space_size(self.family)
        if size is None or size > ENUMERABLE:
            # A space this large is not exhausted: sample it evenly until something new turns up.
            return self._evenly(view, seed, seen)
        rows = combinations(self.spec, self.family)
        left = [row for row in rows if self._proposal(row).config_hash not in seen]
        if not left:
            return Exhausted()
        chosen = random.Random(seed).choice(left)  # noqa: S311 - not for secrets
        return replace(self._proposal(chosen), repeats_avoided=ATTEMPTS)

    def _evenly(self, view: FamilyStudy, seed: int, seen: set[str | None]) -> Proposal | Exhausted:
        sampler, unborn = RandomSampler(seed=derive(seed, "evenly")), _unborn()
        rows = (
            {
                name: sampler.sample_independent(view, unborn, name, dist)
                for name, dist in self.space.items()
            }
            for _ in range(ENUMERABLE)
        )
        found = self._first_unseen(rows, seen)
        return replace(found, repeats_avoided=ATTEMPTS) if found else Exhausted()

    def _staged(
        self, trials: Sequence[FrozenTrial], seen: set[str | None]
    ) -> Proposal | Wait | Exhausted:
        plan = stage_plan(self.spec, self.family, list(_results(trials, self.space)))
        if plan is None:
            return Exhausted()
        return self._first_unseen(plan.combinations, seen) or Wait()

    def _first_unseen(
        self, rows: Iterable[Mapping[str, object]], seen: set[str | None]
    ) -> Proposal | None:
        proposals = (self._proposal(row) for row in rows)
        return next((one for one in proposals if one.config_hash not in seen), None)

    def _proposal(self, row: Mapping[str, object]) -> Proposal:
        config = self.spec.config(self.family, row)
        return Proposal(
            params=dict(row),
            config=config.model_dump(mode="json"),
            config_hash=config_hash(self.family, config),
        )


def _unborn() -> FrozenTrial:
    """A stand-in for the trial that is proposed; it has no number yet."""
    return create_trial(state=TrialState.RUNNING)


def _results(
    trials: Sequence[FrozenTrial], space: Mapping[str, BaseDistribution]
) -> Iterator[tuple[Params, float | None]]:
    """Finished trials with their score; None for a pruned one and for one that failed for good."""
    for trial in trials:
        params = {name: trial.params[name] for name in space if name in trial.params}
        if trial.state == TrialState.COMPLETE:
            yield params, trial.value
        elif trial.state == TrialState.PRUNED or trial.user_attrs.get("final_failure"):
            yield params, None
