"""Defaults, near names, silence, and logs as JSON."""

import json
import signal
import subprocess
import sys
import time

import pytest

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


def test_quiet_leaves_results_and_errors(program: Program, tiny_file: str) -> None:
    ran = program.run("--quiet", "run", tiny_file, "--workers", "1", "--top", "1")
    assert ran.stderr == ""
    assert "tiny, mlp: best of the search" in ran.stdout
    assert program.run("-q", "status", "nothing", code=5).stderr.startswith("error: ")


def logged(program: Program, kind: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "blood_hpo", *words],
        cwd=program.folder,
        env={**program.environment, "BLOOD_HPO_LOG": kind},
        capture_output=True,
        text=True,
        check=False,
    )


def test_logs_are_lines_of_json(program: Program, tiny_file: str) -> None:
    told = logged(program, "json", "run", tiny_file, "--workers", "1", "--format", "json")
    lines = [json.loads(line) for line in told.stderr.splitlines()]
    assert all({"time", "level", "logger", "message"} == set(line) for line in lines)
    assert "tiny: 1 workers start and load TensorFlow" in [line["message"] for line in lines]
    assert len(json.loads(told.stdout)) == 6
    log = (program.folder / ".blood_hpo/logs/tiny/worker-1.log").read_text(encoding="utf-8")
    assert json.loads(log.splitlines()[-1])["message"] == "study tiny is finished"
    (error,) = logged(program, "json", "status", "nothing").stderr.splitlines()
    assert json.loads(error)["level"] == "error"
    refused = logged(program, "xml", "status")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_a_stop_sends_workers_away_and_a_resumed_study_goes_on(program: Program) -> None:
    long = STUDY.replace('"tiny"', '"endless"').replace("epochs = 3", "epochs = 400")
    file = program.file(long.replace("patience = 3", "patience = 400"), "endless.toml")
    program.run("study", "create", file, "--budget", "mlp=1", "--budget", "cnn=1")
    worker = program.start("worker", "endless")
    wait_for_rows(program, "query", "running", "--study", "endless")
    said = program.run("study", "stop", "endless").stdout
    assert "workers leave when their epoch ends" in said
    _, err = worker.communicate(timeout=DEADLINE)
    assert worker.returncode == 0
    assert "back in the queue after epoch" in err
    assert "study endless is stopped; leaving" in err
    waiting = json.loads(program.run("status", "endless", "--format", "json").stdout)
    assert sum(row["waiting"] for row in waiting) == 1
    program.run("study", "resume", "endless")
    again = program.start("worker", "endless")
    wait_for_rows(program, "query", "running", "--study", "endless")
    again.send_signal(signal.SIGINT)
    _, err = again.communicate(timeout=DEADLINE)
    assert "goes on from epoch" in err
    program.run("study", "delete", "endless", "--yes")


def wait_for_rows(program: Program, *words: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not [
        row
        for row in json.loads(program.run(*words, "--format", "json").stdout)
        if (row["epoch"] or 0) > 0
    ]:
        assert time.monotonic() < deadline, "no trial runs"


def test_parquet_goes_to_a_file_alone(program: Program) -> None:
    written = program.folder / "trials.parquet"
    with written.open("wb") as file:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "blood_hpo",
                "query",
                "trials",
                "-s",
                "tiny",
                "--format",
                "parquet",
            ],
            cwd=program.folder,
            env=program.environment,
            stdout=file,
            check=True,
        )
    from pyarrow import parquet

    assert parquet.read_table(written).num_rows == 6
