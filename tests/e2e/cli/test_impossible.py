"""Studies that cannot be run are refused when they are created, and a run says what it lacks."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ...forks import Completed
from .conftest import STUDY, Program

ONE = """
name = "one"
seed = 3
[training]
folds = 2
epochs = 1
start_epoch = 0
[pruner]
name = "none"
[sampler]
name = "random"
[families.mlp]
budget = 5
[families.mlp.space]
units = [8]
"""


@pytest.fixture
def untouched(program: Program, tmp_path: Path) -> Program:
    """The program in an empty folder."""
    return replace(program, folder=tmp_path)


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        (
            "[data]\nfraction = 1e-7\n[families.mlp]",
            3,
            "data.fraction 1e-07 leaves 0 training images",
        ),
        ("[data]\nfraction = 0.1\n[families.mlp]", 3, "too few for 3 folds"),
        ("units = 2000000000", 2, "the largest mlp has 4,722,000,000,008 parameters"),
    ],
)
def test_an_impossible_study_is_refused_and_leaves_nothing(
    untouched: Program, changed: str, code: int, said: str
) -> None:
    text = STUDY.replace("units = [8, 16]", "units = [8, 2000000000]")
    if changed.startswith("["):
        text = STUDY.replace("[families.mlp]", changed, 1)
    file = untouched.file(text)
    refused = untouched.run("study", "create", file, code=code)
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert [path.name for path in untouched.folder.iterdir()] == ["tiny.toml"]


@pytest.fixture(scope="module")
def lacking(program: Program) -> Completed:
    """A run of two studies that lack something: successes the one, configurations the other."""
    bad = ONE.replace('"one"', '"nan"').replace("units = [8]", "learning_rate = [1e15]")
    nan = program.file(bad + "[families.mlp.fixed]\noptimizer = 'sgd'\n", "nan.toml")
    narrow = program.file(ONE.replace('"one"', '"narrow"').replace("[8]", "[4, 8]"), "narrow.toml")
    return program.run("run", nan, narrow, "--workers", "1", "--format", "json", code=5)


def test_a_run_that_could_not_count_its_budget_fails_and_says_why(lacking: Completed) -> None:
    last = lacking.stderr.splitlines()[-1]
    assert re.match(r"error: nan: 0 of 5 trials of mlp could be counted \(1 configurations", last)
    assert "blood-hpo trial show nan 0" in last


def test_a_space_smaller_than_its_budget_is_said_and_ends_the_watch(
    program: Program, lacking: Completed
) -> None:
    assert [row["study"] for row in json.loads(lacking.stdout)] == ["narrow"] * 2
    said = lacking.stderr
    assert "the space of mlp has 2 configurations, so 2 will be tried and not 5" in said
    assert "narrow: 2 of 5 trials of mlp counted: every configuration of its" in said
    program.run("status", "narrow", "--watch")
    (row,) = json.loads(program.run("status", "narrow", "--format", "json").stdout)
    assert (row["counted"], row["budget"], row["remaining"]) == (2, 5, 0)


def test_more_workers_than_the_embedded_server_carries_are_refused(untouched: Program) -> None:
    refused = untouched.run("run", untouched.file(ONE), "--workers", "60", code=2)
    assert "the embedded server has connections for 45 workers" in refused.stderr
    assert [path.name for path in untouched.folder.iterdir()] == ["tiny.toml"]
