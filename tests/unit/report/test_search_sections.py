"""What the search's tables say, against counts made another way."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from blood_hpo.database.record import TrialRecord
from blood_hpo.report.page.document import Missing, Row, Section, Table
from blood_hpo.report.process import search_section as search
from blood_hpo.report.process import space_section as space
from blood_hpo.report.read.findings import Findings
from blood_hpo.report.read.importance import importance
from blood_hpo.report.read.search_study import Study

from .conftest import SPACE, early_scores, spec, trial
from .conftest import study as study_of


def table(section: Section, name: str) -> Table:
    return next(one for one in section.tables if one.name == name)


@pytest.fixture(scope="module")
def section(searched: Findings) -> Section:
    return search.section(searched)


def test_every_trial_is_counted_once(section: Section, searched: Findings) -> None:
    records = table(section, "budget").records()
    counts = {row["family"]: (row["complete"], row["pruned"], row["failed"]) for row in records}
    assert counts == {"mlp": (18, 8, 0), "cnn": (18, 8, 1)}
    total = sum(one.epochs or 0 for one in searched.study.trials)
    assert sum(row["epochs"] for row in records) == total


def test_the_leaderboard_has_complete_trials_only_best_first(
    section: Section, searched: Findings
) -> None:
    rows = [row for row in table(section, "leaderboard").records() if row["group"] == "CNN"]
    complete = [one for one in searched.study.trials if one.state == "COMPLETE"]
    scores = sorted((one.score or 0 for one in complete if one.family == "cnn"), reverse=True)
    assert [row["accuracy"] for row in rows] == scores[:5]


def test_folds_that_learnt_nothing_are_named_beside_the_score(
    section: Section, searched: Findings
) -> None:
    few = study_of(trials=searched.study.trials[:10])  # for which no importance is computed
    best = few.places["mlp"][0].trial.number
    found = search.section(replace(searched, study=replace(few, collapsed={best: 2})))
    row = table(found, "leaderboard").groups["MLP"][0]
    assert row["accuracy"].text.endswith("(2 collapsed)")
    assert f"trial {best} (2)" in str(found.blocks)
    assert "collapsed" not in str(section.blocks)


def test_an_unfinished_search_says_what_is_left(searched: Findings) -> None:
    few = replace(searched, study=study_of(trials=searched.study.trials[:10]))
    missing = [block for block in search.section(few).blocks if isinstance(block, Missing)]
    assert "42 trials" in missing[0].text
    assert missing[0].command == "blood-hpo worker blood"


def planted(count: int) -> list[TrialRecord]:
    """Trials whose score follows from the number of units alone."""
    generator = np.random.default_rng(0)
    values = [
        {
            "units": int(generator.choice([64, 128, 256])),
            "dropout": float(generator.uniform(0, 0.5)),
        }
        for _ in range(count)
    ]
    return [trial(n, "mlp", one, 0.5 + one["units"] / 1000) for n, one in enumerate(values)]


def tried(trials: list[TrialRecord]) -> tuple[list[Mapping[str, Any]], list[float]]:
    """Parameters and scores."""
    return [one.params for one in trials], [one.score or 0 for one in trials]


def test_importance_finds_the_hyperparameter_that_the_score_follows_from() -> None:
    params, scores = tried(planted(40))
    found = importance(SPACE["mlp"], params, scores)
    assert found is not None
    assert found.values["units"][0] > 1
    assert abs(found.values["dropout"][0]) < 0.05
    assert found.held_out > 0.8
    assert found == importance(SPACE["mlp"], params, scores)


def test_where_nothing_matters_held_out_trials_say_so() -> None:
    params, _ = tried(planted(40))
    noise = np.random.default_rng(4).normal(0.7, 0.02, 40).tolist()
    found = importance(SPACE["mlp"], params, noise)
    assert found is not None
    assert found.held_out < 0.1
    assert max(mean for mean, _ in found.values.values()) < 0.3
    assert importance(SPACE["mlp"], params, [0.5] * 40) is None


def test_too_few_trials_have_no_importance() -> None:
    assert importance(SPACE["mlp"], *tried(planted(19))) is None


def test_importances_are_drawn_where_there_are_enough_trials(searched: Findings) -> None:
    """Also from pruned trials, whose final score is another one."""
    trials = [replace(one, state="PRUNED" if one.number > 9 else "COMPLETE") for one in planted(30)]
    study = study_of(spec=spec(space={}), trials=tuple(trials))
    early = early_scores(tuple(trials))
    found = search.section(replace(searched, study=study, early_scores=early))
    drawn = [one.name for block in found.blocks if isinstance(block, Row) for one in block.parts]
    assert "importance-mlp" in drawn
    facts = found.facts["importance"]["mlp"]
    assert (facts["trials"], facts["epoch"]) == (30, 4)


def test_the_optimum_is_marked_among_its_options(searched: Findings) -> None:
    winner = searched.winners["cnn"].trial.params
    chosen = {
        str(row["hyperparameter"].value): [one.text for one in row["options"].options if one.chosen]
        for row in table(space.section(searched), "space-cnn").rows
        if row["options"].options
    }
    assert chosen["filters"] == [str(winner["filters"])]
    assert chosen["standardise"] == ["yes" if winner["standardise"] else "no"]


def test_stages_are_groups_of_their_table(searched: Findings) -> None:
    document = spec()
    document["families"]["mlp"]["stages"] = [["augmentation", "standardise"], ["units"]]
    study: Study = replace(searched.study, spec=document)
    groups = table(space.section(replace(searched, study=study)), "space-mlp").groups
    assert list(groups) == ["Stage 1", "Stage 2"]
    assert [row["hyperparameter"].value for row in groups["Stage 2"]] == ["units"]
