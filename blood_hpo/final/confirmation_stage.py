"""Confirmation: the best configurations of each family again, on folds that they have not seen.

A trial is one configuration on one fresh split into folds, of images that the search left where
there are enough. It trains like a trial of the search whose study had another seed; nothing is
pruned.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from blood_hpo.dashboard.trial_pictures import pictures_of_folds
from blood_hpo.data.bloodmnist import DataSource
from blood_hpo.database.record import TrialRecord, read_trial
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.final.ranking import compare
from blood_hpo.final.stage_study import (
    Training,
    claim_planned,
    final_spec,
    open_stage,
    put_in_force,
    reread,
)
from blood_hpo.search.cross_validation import CrossValidation
from blood_hpo.search.dataset import SearchData, fresh_data
from blood_hpo.stages import CONFIRM
from blood_hpo.store.outage import Waiting, patiently
from blood_hpo.store.studies import SharedStudy
from blood_hpo.studyfile.schema import StudySpec
from blood_hpo.training.seeds import derive
from blood_hpo.worker.claims import Found
from blood_hpo.worker.search_stage import results_of_folds
from blood_hpo.worker.stage import Ending, OpenTest, Run

Row = dict[str, Any]
"""Columns of ``hpo.candidate``."""


class Split(NamedTuple):
    """A configuration on the folds of one fresh split: its scores, and which say nothing."""

    scores: list[float]
    collapsed: list[bool]


class ConfirmStage:
    """Trials of the confirmation on one worker."""

    def __init__(self, search: SharedStudy, source: DataSource, worker: str) -> None:
        """Open or create the stage of a study whose search is over.

        Raises:
            StudyError: Another study has the stage's name.
        """
        self.worker = worker
        self.study = open_stage(search, CONFIRM)
        self._search = search
        self._source = source
        self._concluded: list[Row] = []
        self._fresh = lru_cache(maxsize=2)(self._fresh_data)

    def claim(self, stop: Waiting) -> Found:
        """Take the next configuration and split of the plan, made anew where that changed."""
        self._search = reread(self._search, stop)
        patiently(self._plan, "planning the confirmation", stop)
        return claim_planned(self.study, CONFIRM, self.worker, stop)

    def _plan(self) -> None:
        splits = final_spec(self._search.spec).confirm_splits
        trainings = [
            _training(self._search.spec, source, split)
            for split in range(1, splits + 1)
            for source in self._sources()
        ]
        put_in_force(self.study, CONFIRM, trainings)

    def _sources(self) -> list[TrialRecord]:
        """The best complete trials of each family of the search, the best first."""
        search, top = self._search, final_spec(self._search.spec).confirm_top
        with search.storage.plain() as connection:
            wanted = {"study_id": search.study_id, "top": top}
            numbers = connection.scalars(statement("best_trials"), wanted).all()
            found = [read_trial(connection, search.name, number) for number in numbers]
        if not found:
            raise StudyError(
                f"study {search.name!r} has no complete trial to confirm; see why with"
                f" `blood-hpo trial show {search.name} 0`"
            )
        return [one for one in found if one]

    def start(self, claim: TrialRecord) -> CrossValidation:
        """Begin to train one configuration on one split."""
        spec = split_spec(self._search.spec, claim.replicate)
        return CrossValidation(spec, claim.configuration, self._fresh(spec.seed))

    def _fresh_data(self, seed: int) -> SearchData:
        return fresh_data(self._search.spec, self._source, seed)

    def should_prune(self, _claim: TrialRecord, _run: Run) -> bool:
        """Never: all configurations are compared on all folds."""
        return False

    def end(self, claim: TrialRecord, run: Run, _open_test: OpenTest) -> Ending:
        """The scores of the folds, their mean, and pictures."""
        assert isinstance(run, CrossValidation)
        results = results_of_folds(run)
        title = f"{claim.family}, trial {claim.source_number} again on split {claim.replicate}"
        return Ending(run.score, results, pictures_of_folds(title, results))

    def conclude(self) -> None:
        """Compare the configurations and store the outcome.

        Every worker that finds the stage finished does this, with the same outcome.

        Raises:
            StudyError: Not one configuration was confirmed on all splits.
        """
        scores = self._scores()
        sources: dict[str, list[TrialRecord]] = defaultdict(list)
        for source in self._sources():
            sources[source.family].append(source)
        rows = [row for own in sources.values() for row in self._family(own, scores)]
        if not any(row["winner"] for row in rows):
            raise StudyError(
                f"no configuration of study {self._search.name!r} could be confirmed; see why with"
                f" `blood-hpo trial show {self.study.name} 0`"
            )
        if rows != self._concluded:
            self._store(rows)
            self._concluded = rows

    def _store(self, rows: Sequence[Row]) -> None:
        key = {"study_id": self.study.study_id}
        with self.study.storage.transaction() as connection:
            connection.execute(statement("claim_lock"), key)
            connection.execute(statement("drop_candidates"), key)
            for row in rows:
                connection.execute(statement("new_candidate"), {**row, **key})

    def _scores(self) -> Mapping[str, list[Split]]:
        """Fold scores by split of each configuration of the plan in force."""
        found: dict[str, list[Split]] = defaultdict(list)
        for row in self.study.storage.ask("fresh_scores", study=self.study.name):
            found[row.config_hash].append(Split(row.scores, row.collapsed))
        return found

    def _family(
        self, sources: Sequence[TrialRecord], scores: Mapping[str, list[Split]]
    ) -> list[Row]:
        splits = final_spec(self._search.spec).confirm_splits
        whole = [one for one in sources if len(scores.get(one.config_hash, ())) == splits]
        table = np.array([[one.scores for one in scores[own.config_hash]] for own in whole])
        flags = [[one.collapsed for one in scores[own.config_hash]] for own in whole]
        sizes = [one.parameter_count or 0 for one in whole]
        standings = compare(table, sizes, [any(map(any, one)) for one in flags]) if whole else []
        outcome = {
            one.number: {**asdict(standing), "scores": by_split.tolist(), "collapsed": flag}
            for one, standing, by_split, flag in zip(whole, standings, table, flags, strict=True)
        }
        return [
            {
                **_identity(source, rank),
                **outcome.get(source.number, _left_out(scores, source, splits)),
            }
            for rank, source in enumerate(sources, start=1)
        ]


def split_spec(spec: StudySpec, split: int) -> StudySpec:
    """The same study under the seed of one fresh split."""
    return spec.model_copy(update={"seed": derive(spec.seed, "confirm", split)})


def _training(spec: StudySpec, source: TrialRecord, split: int) -> Training:
    return Training(
        configuration=source.configuration,
        replicate=split,
        seed=derive(split_spec(spec, split).seed, source.config_hash),
        params=source.params,
        source_number=source.number,
    )


def _identity(source: TrialRecord, rank: int) -> Row:
    """What a candidate is and where it comes from; its place in the search is from 1."""
    return {
        "family": source.family,
        "config_hash": source.config_hash,
        "source_number": source.number,
        "search_rank": rank,
        "search_score": source.score,
        "left_out": None,
    }


def _left_out(scores: Mapping[str, list[Split]], source: TrialRecord, splits: int) -> Row:
    """What stands in place of a comparison."""
    columns = ("rank", "scores", "collapsed", "mean", "sd", "low", "high", "behind", "behind_low")
    trained = len(scores.get(source.config_hash, ()))
    return {
        **dict.fromkeys((*columns, "behind_high", "p_value", "separable")),
        "winner": False,
        "left_out": f"{trained} of {splits} splits could be trained",
    }
