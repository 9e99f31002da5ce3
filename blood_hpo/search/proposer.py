"""Which configurations a family tries next: none that it has tried before.

A proposal is made without any lock, so it may collide with another worker's: several are made at
once where they cost little, and a collision proposes again. Samplers are seeded anew for each from
the study's seed and the number of trials so far: a study of one worker can be reproduced.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import TrialState, create_trial

from blood_hpo.models.configuration import Configuration
from blood_hpo.search.history import FamilyStudy
from blood_hpo.search.optuna_private import CompleteTPESampler
from blood_hpo.search.space import Params, family_distributions
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.studyfile.staged_grid import stage_plan
from blood_hpo.training.seeds import derive

ATTEMPTS = 20  # samples before the remaining configurations are looked at one by one
CANDIDATES = 6  # proposals at once where they cost little, for when others claim the first ones
ENUMERABLE = 200_000  # largest space whose unseen configurations are listed if sampling finds none
UNBORN = create_trial(state=TrialState.RUNNING)  # the proposed trial, which has no number yet


@dataclass(frozen=True)
class Proposal:
    """A configuration to try, its searched part, and how many repeats were drawn before it."""

    configuration: Configuration
    params: Params
    repeats_avoided: int


@dataclass
class Proposer:
    """Proposes configurations for one family of a study."""

    spec: StudySpec
    family: str
    space: dict[str, BaseDistribution] = field(init=False)

    def __post_init__(self) -> None:
        self.space = family_distributions(self.spec, self.family)

    def propose(self, known: FamilyStudy, salt: str = "") -> list[Proposal] | None:
        """The next configurations of this family, which none of its known trials has, best first.

        The list is empty when all of its space has been tried. None: nothing can be proposed until
        running trials have finished (a stage of a staged grid). After a collision, a ``salt`` makes
        another proposal of the same trials.
        """
        if self.spec.sampler.name == "staged_grid":
            return self._staged(known)
        if self.spec.sampler.name == "grid":
            return self._planned(self._all(), known)
        after = (salt,) if salt else ()
        seed = derive(self.spec.seed, "sampler", self.family, len(known.seen), *after)
        found, repeats = self._sampled(known, seed)
        return found or self._leftover(known, seed, repeats)

    def _sampled(self, known: FamilyStudy, seed: int) -> tuple[list[Proposal], int]:
        sampler = self.spec.sampler
        done = known.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        at_random = sampler.name == "random" or len(done) < sampler.startup_trials
        return self._unseen(self._samples(known, seed), known, CANDIDATES if at_random else 1)

    def _samples(self, known: FamilyStudy, seed: int) -> Iterator[Params]:
        sampler = self._sampler(seed)
        independent = RandomSampler(seed=derive(seed, "independent"))
        for _ in range(ATTEMPTS):
            joint = sampler.sample_relative(known, UNBORN, self.space)
            yield joint or self._independent(known, independent)

    def _sampler(self, seed: int) -> BaseSampler:
        if self.spec.sampler.name == "random":
            return RandomSampler(seed=seed)
        return CompleteTPESampler(seed=seed, n_startup_trials=self.spec.sampler.startup_trials)

    def _leftover(self, known: FamilyStudy, seed: int, repeats: int) -> list[Proposal]:
        """Random ones of the configurations that are left, after so many repeats of others."""
        size = self.spec.space_size(self.family)
        if size is None or size > ENUMERABLE:
            # A space this large is not exhausted: sample it evenly until something new turns up.
            sampler = RandomSampler(seed=derive(seed, "evenly"))
            evenly = (self._independent(known, sampler) for _ in range(ENUMERABLE))
            found, _ = self._unseen(evenly, known, 1)
        else:
            found, _ = self._unseen(self._all(), known, wanted=size)
            random.Random(seed).shuffle(found)  # noqa: S311 - not for secrets
        return [
            replace(one, repeats_avoided=repeats + place)
            for place, one in enumerate(found[:CANDIDATES])
        ]

    def _all(self) -> Iterator[Params]:
        return self.spec.rows(self.family, list(self.space))

    def _independent(self, known: FamilyStudy, sampler: RandomSampler) -> Params:
        space = self.space.items()
        return {n: sampler.sample_independent(known, UNBORN, n, one) for n, one in space}

    def _staged(self, known: FamilyStudy) -> list[Proposal] | None:
        plan = stage_plan(self.spec, self.family, list(_results(known)))
        return [] if plan is None else self._planned(plan, known) or None

    def _planned(self, rows: Iterable[Mapping[str, object]], known: FamilyStudy) -> list[Proposal]:
        """The first of a list that have not been tried; nothing is drawn, no repeat avoided."""
        found, _ = self._unseen(rows, known)
        return [replace(one, repeats_avoided=0) for one in found]

    def _unseen(
        self, rows: Iterable[Mapping[str, object]], known: FamilyStudy, wanted: int = CANDIDATES
    ) -> tuple[list[Proposal], int]:
        """The first proposals that have not been tried, each once, and how many repeats there were.

        What is too large is none of both.
        """
        found: dict[str, Proposal] = {}
        repeats = 0
        for row in (row for row in rows if self.spec.allows(self.family, row)):
            configuration = Configuration(self.family, self.spec.config(self.family, row))
            key = configuration.config_hash
            if key in known.seen or key in found:
                repeats += 1
            else:
                found[key] = Proposal(configuration, dict(row), repeats + len(found))
            if len(found) >= wanted:
                break
        return list(found.values()), repeats


def _results(known: FamilyStudy) -> Iterator[tuple[Params, float | None]]:
    """Finished trials with their score; None for a pruned one and for one that failed for good."""
    for trial in known.get_trials(deepcopy=False):
        if trial.state == TrialState.COMPLETE:
            yield trial.params, trial.value
        elif trial.state == TrialState.PRUNED or trial.number in known.given_up:
            yield trial.params, None
