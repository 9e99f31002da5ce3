"""Confirmation: the best configurations of each family again, on fresh folds.

A trial is one configuration on one fresh split into folds, of images that the search left where
there are enough. It trains like a trial of the search whose study had another seed; nothing is
pruned.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache, partial
from typing import Any

import numpy as np

from blood_hpo.dashboard.trial_pictures import pictures_of_folds
from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.record import TrialRecord
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.final.planned_stage import PlannedStage
from blood_hpo.final.ranking import compare
from blood_hpo.final.stage_study import Training
from blood_hpo.report.read.candidates import Standing
from blood_hpo.search.cross_validation import CrossValidation
from blood_hpo.search.dataset import search_data
from blood_hpo.stages import CONFIRM
from blood_hpo.store.results import Ending
from blood_hpo.store.studies import SharedStudy
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.training.seeds import derive
from blood_hpo.worker.search_stage import results_of_folds
from blood_hpo.worker.stage import OpenTest, Run, configuration_of

Row = dict[str, Any]
"""Columns of ``hpo.candidate``."""

Scores = Mapping[str, Sequence[Any]]
"""By configuration a row a split: its scores by fold, and which of them say nothing."""


class ConfirmStage(PlannedStage):
    """Trials of the confirmation on one worker."""

    name = CONFIRM

    def __init__(self, search: SharedStudy, source: DataSource, worker: str) -> None:
        """Open or create the stage of a study whose search is over: see `PlannedStage`."""
        super().__init__(search, source, worker)
        self._fresh = lru_cache(maxsize=2)(partial(search_data, search.spec, source))

    def trainings(self) -> list[Training]:
        """Each of the best configurations on each split."""
        sources, splits = self._sources(), range(1, self.final.confirm_splits + 1)
        return [
            Training(
                configuration=configuration_of(one),
                replicate=split,
                seed=derive(split_spec(self.search.spec, split).seed, one.config_hash),
                params=one.params,
                source_number=one.number,
            )
            for split in splits
            for one in sources
        ]

    def _sources(self) -> list[TrialRecord]:
        """The best complete trials of each family of the search, the best first."""
        search, top = self.search, self.final.confirm_top
        found = self.found("best_trials", study=search.name, top=top)
        if not found:
            raise StudyError(
                f"study {search.name!r} has no complete trial to confirm; see why with"
                f" `blood-hpo trial show {search.name} 0`"
            )
        return found

    def start(self, claim: TrialRecord) -> CrossValidation:
        """Begin to train one configuration on one split."""
        spec = split_spec(self.search.spec, claim.replicate)
        return CrossValidation(spec, configuration_of(claim), self._fresh(spec.seed))

    def end(self, claim: TrialRecord, run: Run, _open_test: OpenTest) -> Ending:
        """The scores of the folds, their mean, and pictures."""
        assert isinstance(run, CrossValidation)
        results = results_of_folds(run)
        title = f"{claim.family}, trial {claim.source_number} again on split {claim.replicate}"
        return Ending(run.score, results, pictures_of_folds(title, results))

    def conclude(self) -> None:
        """Compare the configurations and store the outcome, which is the same for every worker.

        Where not one was confirmed on all splits, that is a StudyError.
        """
        sources, scores = self._sources(), defaultdict(list)
        for row in self.study.storage.ask("fresh_scores", study=self.study.name):
            scores[row.config_hash].append(row)
        rows: list[Row] = []
        for family in dict.fromkeys(one.family for one in sources):
            own = [one for one in sources if one.family == family]
            rows += _candidates(own, scores, self.final.confirm_splits)
        if not any(row["winner"] for row in rows):
            raise StudyError(
                f"no configuration of study {self.search.name!r} could be confirmed; see why with"
                f" `blood-hpo trial show {self.study.name} 0`"
            )
        self._store({row["config_hash"]: {**row, "study_id": self.study.study_id} for row in rows})

    def _store(self, rows: Mapping[str, Row]) -> None:
        """Store an outcome unless it is there: a worker that stood still may have put an older."""
        key, storage = {"study_id": self.study.study_id}, self.study.storage
        stored = storage.ask("candidates", **key)
        if {one.config_hash: dict(one._mapping) for one in stored} == rows:
            return
        with storage.engine.begin() as connection:
            connection.execute(statement("claim_lock"), key)
            connection.execute(statement("drop_candidates"), key)
            found = json.dumps(list(rows.values()))
            connection.execute(statement("new_candidates"), {"rows": found})


def split_spec(spec: StudySpec, split: int) -> StudySpec:
    """The same study under the seed of one fresh split."""
    return spec.model_copy(update={"seed": derive(spec.seed, "confirm", split)})


def _candidates(sources: Sequence[TrialRecord], scores: Scores, splits: int) -> list[Row]:
    """A family's candidates, those that were trained on all splits held against the best."""
    trained = [len(scores[one.config_hash]) for one in sources]
    whole = [one for one, count in zip(sources, trained, strict=True) if count == splits]
    outcomes = _outcomes(whole, scores) if whole else {}
    return [
        {
            "family": one.family,
            "config_hash": one.config_hash,
            "source_number": one.number,
            "search_rank": rank,
            "search_score": one.score,
            **outcomes.get(one.config_hash, _left_out(count, splits)),
        }
        for rank, (one, count) in enumerate(zip(sources, trained, strict=True), start=1)
    ]


def _outcomes(sources: Sequence[TrialRecord], scores: Scores) -> dict[str, Row]:
    """What comes of the comparison, by configuration."""
    names = [one.config_hash for one in sources]
    table = np.array([[split.scores for split in scores[name]] for name in names])
    flags = [[split.collapsed for split in scores[name]] for name in names]
    sizes = [one.parameter_count or 0 for one in sources]
    standings = compare(table, sizes, [any(map(any, one)) for one in flags])
    return {
        name: {**asdict(one), "scores": own.tolist(), "collapsed": flag, "left_out": None}
        for name, one, own, flag in zip(names, standings, table, flags, strict=True)
    }


def _left_out(trained: int, splits: int) -> Row:
    """What stands in place of a comparison."""
    reason = f"{trained} of {splits} splits could be trained"
    columns = ("scores", "collapsed", *Standing.__annotations__)
    return {**dict.fromkeys(columns), "winner": False, "left_out": reason}
