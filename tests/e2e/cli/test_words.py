"""Defaults, near names, silence, errors as JSON, and Parquet."""

import json
import subprocess

import pytest

from ...forks import Completed
from .conftest import STUDY, Program

DEADLINE = 120.0


@pytest.fixture
def alone(program: Program) -> Program:
    """The program while ``tiny`` is the only study."""
    for row in json.loads(program.run("study", "list", "--format", "json").stdout):
        if row["study"] != "tiny" and row["stage"] == "search":
            program.run("study", "delete", row["study"], "--yes")
    return program


@pytest.mark.parametrize(
    "words",
    ["status", "query leaderboard", "study show", "study best", "trial list", "study check"],
)
def test_the_only_study_needs_no_name(alone: Program, words: str) -> None:
    # As JSON, in which nothing depends on the time of day.
    asked = [*words.split(), "--format", "json"]
    named = [*asked, *(["--study"] if words.startswith("query") else []), "tiny"]
    assert alone.run(*asked).stdout == alone.run(*named).stdout


def test_of_several_studies_one_is_named(alone: Program) -> None:
    alone.run("study", "create", alone.file(STUDY.replace('"tiny"', '"other"'), "other.toml"))
    assert (
        "there are several studies: name one of other, tiny" in alone.run("status", code=2).stderr
    )
    assert "did you mean 'other'?" in alone.run("status", "othr", code=5).stderr
    alone.run("study", "delete", "other", "--yes")


def test_the_best_is_one_row_a_family_with_its_whole_configuration(program: Program) -> None:
    best = json.loads(program.run("study", "best", "tiny", "--format", "json").stdout)
    board = json.loads(program.run("study", "show", "tiny", "--format", "json").stdout)
    first = {row["family"]: row["number"] for row in board["leaderboard"] if row["rank"] == 1}
    assert {row["family"]: row["number"] for row in best} == first
    assert all({"batch_size", "learning_rate"} <= set(row["config"]) for row in best)


def test_quiet_leaves_results_and_errors(program: Program, quiet_run: Completed) -> None:
    assert quiet_run.stderr == ""
    assert "tiny, mlp: best of the search" in quiet_run.stdout
    assert program.run("-q", "status", "nothing", code=5).stderr.startswith("error: ")


def test_errors_are_lines_of_json_too(program: Program) -> None:
    (error,) = program.run("status", "nothing", code=5, BLOOD_HPO_LOG="json").stderr.splitlines()
    assert json.loads(error)["level"] == "error"
    assert program.run("status", code=2, BLOOD_HPO_LOG="xml").stderr.count("\n") == 1


def test_a_stop_sends_workers_away_and_a_resumed_study_can_be_worked_on(program: Program) -> None:
    long = STUDY.replace('"tiny"', '"endless"').replace("epochs = 3", "epochs = 400")
    file = program.file(long.replace("patience = 3", "patience = 400"), "endless.toml")
    program.run("study", "create", file, "--budget", "mlp=1", "--budget", "cnn=1")
    worker = program.start("worker", "endless")
    assert worker.stderr is not None
    assert any("epoch 1/" in line for line in worker.stderr)
    said = program.run("study", "stop", "endless").stdout
    assert "workers leave when their epoch ends" in said
    _, err = worker.communicate(timeout=DEADLINE)
    assert worker.returncode == 0
    assert "back in the queue after epoch" in err
    assert "study endless is stopped; leaving" in err
    waiting = json.loads(program.run("status", "endless", "--format", "json").stdout)
    assert sum(row["waiting"] for row in waiting) == 1
    assert "stopped" in program.run("study", "list").stdout
    program.run("study", "resume", "endless")
    assert "stopped" not in program.run("study", "list").stdout
    program.run("study", "delete", "endless", "--yes")


def test_parquet_goes_to_a_file_alone(program: Program) -> None:
    written = program.folder / "trials.parquet"
    command = ["-m", "blood_hpo", "query", "trials", "-s", "tiny", "--format", "parquet"]
    with written.open("wb") as file:
        subprocess.run(
            [program.forks.python, *command],
            cwd=program.folder,
            env=program.environment,
            stdout=file,
            check=True,
        )
    from pyarrow import parquet

    assert parquet.read_table(written).num_rows == 6
