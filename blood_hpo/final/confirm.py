"""Confirmation: the best configurations of each family again, on folds that they have not seen.

A trial is one configuration on one fresh split into folds. It trains like a trial of the search
whose study had another seed, on the same images; nothing is pruned.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, TrialState

from blood_hpo.errors import StudyError
from blood_hpo.final.cells import REPLICATE, Cell, claim_cell
from blood_hpo.final.confirmation import LEVEL, METHOD, WINNER_RULE, compare
from blood_hpo.final.names import CONFIRM, CONFIRMATION
from blood_hpo.final.stage_study import final_spec, open_stage
from blood_hpo.metrics import collapsed
from blood_hpo.search.cross_validation import CrossValidation
from blood_hpo.search.dataset import SearchData, refolded
from blood_hpo.search.family import FAMILY
from blood_hpo.search.space import MODEL
from blood_hpo.service.budget import Busy, Claim, Finished, Paused
from blood_hpo.service.outage import Waiting
from blood_hpo.service.stage import Ending, Note, Run
from blood_hpo.service.studies import SharedStudy
from blood_hpo.service.trial_pictures import pictures_of_folds
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.training.seeds import derive

log = logging.getLogger(__name__)


class ConfirmStage:
    """Trials of the confirmation on one worker."""

    def __init__(self, search: SharedStudy, data: SearchData, worker: str) -> None:
        """Open or create the stage of a study whose search is over.

        Raises:
            StudyError: The search has no complete trial.
        """
        self.worker = worker
        self._search = search
        self._data = data
        self._best = _best(search)
        self._cells = _cells(search, self._best)
        splits = final_spec(search.spec).confirm_splits
        budgets = {family: splits * len(found) for family, found in self._best.items()}
        self.study = open_stage(search, CONFIRM, search.fingerprint, budgets)

    def claim(self, stop: Waiting) -> Claim | Paused | Busy | Finished:
        """Take the next configuration and split."""
        return claim_cell(self.study, self.worker, self._cells, stop)

    def start(self, claim: Claim) -> CrossValidation:
        """Begin to train one configuration on one split."""
        split = claim.attributes[REPLICATE]
        assert isinstance(split, int)
        spec = split_spec(self._search.spec, split)
        return CrossValidation(spec, claim.family, claim.config, refolded(self._data, spec))

    def should_prune(self, _claim: Claim, _run: Run) -> bool:
        """Never: all configurations are compared on all folds."""
        return False

    def end(self, claim: Claim, run: Run, _note: Note) -> Ending:
        """The scores of the folds, their mean, and pictures."""
        assert isinstance(run, CrossValidation)
        attributes = run.results().attributes()
        source, split = claim.attributes["source_trial"], claim.attributes[REPLICATE]
        title = f"{claim.family}, trial {source} again on split {split}"
        return Ending(run.score, attributes, pictures_of_folds(title, attributes))

    def conclude(self) -> dict[str, object]:
        """Compare the configurations, store the outcome, and return it.

        Every worker that finds the stage finished does this, with the same outcome.

        Raises:
            StudyError: Not one configuration was confirmed on all splits.
        """
        trials = self.study.cached.get_all_trials(self.study.study_id, deepcopy=False)
        families = {family: self._family(found, trials) for family, found in self._best.items()}
        families = {family: one for family, one in families.items() if one["candidates"]}
        if not families:
            raise StudyError(
                f"no configuration of study {self._search.name!r} could be confirmed; see why with"
                f" `blood-hpo trial show {self.study.name} 0`"
            )
        outcome: dict[str, object] = {
            "level": LEVEL,
            "method": METHOD,
            "winner_rule": WINNER_RULE,
            "splits": final_spec(self._search.spec).confirm_splits,
            "folds": self._search.spec.training.folds,
            "families": families,
        }
        self.study.storage.set_study_user_attr(self.study.study_id, CONFIRMATION, outcome)
        return outcome

    def _family(
        self, sources: Sequence[FrozenTrial], trials: Sequence[FrozenTrial]
    ) -> dict[str, object]:
        splits = final_spec(self._search.spec).confirm_splits
        objective = self._search.spec.objective
        share = float(np.bincount(self._data.labels).max() / len(self._data.labels))
        confirmed: list[dict[str, Any]] = []
        folds, unstable, left_out = [], [], []
        for rank, source in enumerate(sources, start=1):
            scores = _scores(source, trials)
            if len(scores) >= splits:
                ordered = [scores[split] for split in range(1, splits + 1)]
                flags = [collapsed(one, objective, share) for one in ordered]
                confirmed.append({**_identity(source, rank), "scores": ordered, "collapsed": flags})
                folds.append(ordered)
                unstable.append(any(map(any, flags)))
            else:
                reason = f"{len(scores)} of {splits} splits could be trained"
                digest = source.user_attrs["config_hash"]
                left_out.append({"trial": source.number, "config_hash": digest, "reason": reason})
        sizes = [one["parameter_count"] for one in confirmed]
        standings = compare(np.array(folds), sizes, unstable) if folds else []
        pairs = zip(confirmed, standings, strict=True)
        candidates = [{**one, **asdict(standing)} for one, standing in pairs]
        candidates.sort(key=lambda one: (not one["winner"], one["rank"]))
        winner = candidates[0]["trial"] if candidates else None
        return {"winner": winner, "candidates": candidates, "left_out": left_out}


def split_spec(spec: StudySpec, split: int) -> StudySpec:
    """The same study under the seed of one fresh split."""
    return spec.model_copy(update={"seed": derive(spec.seed, "confirm", split)})


def _best(search: SharedStudy) -> dict[str, list[FrozenTrial]]:
    """The best complete trials of each family that has any, the best first."""
    trials = search.cached.get_all_trials(
        search.study_id, deepcopy=False, states=(TrialState.COMPLETE,)
    )
    best = {}
    for family in search.spec.families:
        own = [trial for trial in trials if trial.user_attrs.get(FAMILY) == family]
        own.sort(key=lambda trial: (-(trial.value or 0.0), trial.number))
        best[family] = own[: final_spec(search.spec).confirm_top]
        if not own:
            log.warning("study %s has no complete trial of %s: left out", search.name, family)
    found = {family: own for family, own in best.items() if own}
    if not found:
        raise StudyError(
            f"study {search.name!r} has no complete trial to confirm; see why with"
            f" `blood-hpo trial show {search.name} 0`"
        )
    return found


def _cells(search: SharedStudy, best: dict[str, list[FrozenTrial]]) -> list[Cell]:
    return [
        _cell(search, source, split)
        for split in range(1, final_spec(search.spec).confirm_splits + 1)
        for sources in best.values()
        for source in sources
    ]


def _cell(search: SharedStudy, source: FrozenTrial, split: int) -> Cell:
    attributes = source.user_attrs
    return Cell(
        family=attributes[FAMILY],
        config=attributes["config"],
        config_hash=attributes["config_hash"],
        replicate=split,
        seed=derive(split_spec(search.spec, split).seed, attributes["config_hash"]),
        params={**source.params, "split": split},
        distributions={**source.distributions, "split": IntDistribution(1, 20)},
        attributes={"source_study": search.name, "source_trial": source.number},
    )


def _scores(source: FrozenTrial, trials: Sequence[FrozenTrial]) -> dict[int, list[float]]:
    """Fold scores of a configuration by split."""
    return {
        trial.user_attrs[REPLICATE]: trial.user_attrs["fold_scores"]
        for trial in trials
        if trial.state == TrialState.COMPLETE
        and trial.user_attrs["config_hash"] == source.user_attrs["config_hash"]
    }


def _identity(source: FrozenTrial, rank: int) -> dict[str, Any]:
    """What a candidate is and where it comes from; its place in the search is from 1."""
    attributes = source.user_attrs
    return {
        "trial": source.number,
        "config_hash": attributes["config_hash"],
        "params": {name: value for name, value in source.params.items() if name != MODEL},
        "config": attributes["config"],
        "parameter_count": attributes["parameter_count"],
        "search_score": float(source.value or 0.0),
        "search_rank": rank,
    }
