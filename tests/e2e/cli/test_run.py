"""Studies from the command line: run, asked about, run again, extended, drained, replayed."""

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from blood_hpo.database.address import embedded_url, engine
from blood_hpo.settings import Settings
from blood_hpo.worker import machine

from ...forks import Completed
from ...waiting import until
from .conftest import STUDY, Program

DEADLINE = 120.0


def rows(program: Program, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(program.run(*words, "--format", "json").stdout)
    return found


def test_a_run_ends_with_the_budget_spent_and_a_leaderboard_per_family(program: Program) -> None:
    progress = {row["family"]: row for row in rows(program, "status", "tiny")}
    assert {name: row["counted"] for name, row in progress.items()} == {"mlp": 3, "cnn": 3}
    assert all(row["running"] == row["waiting"] == row["failed"] == 0 for row in progress.values())
    board = program.run("study", "show", "tiny").stdout
    assert "tiny, mlp: best of the search on SYNTHETIC" in board
    assert "tiny, cnn: best of the search on SYNTHETIC" in board


def test_a_changed_file_is_refused_with_the_difference(program: Program) -> None:
    changed = program.file(STUDY.replace("epochs = 3", "epochs = 4", 1), "changed.toml")
    refused = program.run("run", changed, code=5)
    assert "training.epochs: 3 -> 4" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_another_seed_makes_another_study(program: Program) -> None:
    file = program.file(STUDY, "tiny.toml")
    assert "seed: 11 -> 7" in program.run("study", "create", file, "--seed", "7", code=5).stderr
    program.run("study", "create", file, "--name", "tiny-7", "--seed", "7")
    shown = json.loads(program.run("study", "show", "tiny-7", "--format", "json").stdout)
    assert shown["spec"]["seed"] == 7
    program.run("study", "delete", "tiny-7", "--yes")


def test_a_replayed_trial_scores_exactly_as_recorded(program: Program) -> None:
    counted = {row["study"]: row["counted"] for row in rows(program, "study", "list")}
    assert counted["tiny"] == 6
    (shown,) = rows(program, "trial", "show", "tiny", "0")
    replayed = rows(program, "trial", "replay", "tiny", "0")
    assert [row["replayed"] for row in replayed] == shown["fold_scores"]
    assert all(row["same"] for row in replayed)


def test_a_replay_that_differs_from_the_record_fails(program: Program) -> None:
    database = engine(embedded_url(Settings(home=program.home)))
    changed = text(
        "UPDATE hpo.fold SET score = score * :by WHERE fold = 2 AND trial_id ="
        " (SELECT trial_id FROM hpo.trials WHERE study = 'tiny' AND number = 0)"
    )

    def change(by: float) -> None:
        with database.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no trigger
            connection.execute(changed, {"by": by})

    change(0.5)
    done = program.run("trial", "replay", "tiny", "0", "--format", "json", code=1)
    change(2.0)
    database.dispose()
    assert [row["same"] for row in json.loads(done.stdout)] == [True, False, True]
    here = f"{machine.program()} trained it on {machine.processor()}, and this is"
    assert f"trial 0 differs: {here}" in " ".join(done.stderr.split())


def test_a_grid_around_the_best_configuration_of_a_finished_study(program: Program) -> None:
    text = """
    name = "around"
    seed = 1
    [training]
    epochs = 2
    start_epoch = 0
    [sampler]
    name = "grid"
    [pruner]
    name = "none"
    [families.mlp.space]
    units = [4, 8]
    """
    file = program.file(text, "around.toml")
    program.run("study", "create", file, "--around", "tiny")
    shown = json.loads(program.run("study", "show", "around", "--format", "json").stdout)
    (best,) = [
        row
        for row in json.loads(program.run("study", "show", "tiny", "--format", "json").stdout)[
            "leaderboard"
        ]
        if row["family"] == "mlp" and row["rank"] == 1
    ]
    family = shown["spec"]["families"]["mlp"]
    assert family["fixed"]["batch_size"] == best["params"]["batch_size"]
    assert family["fixed_from"] == "tiny"
    assert family["budget"] == 2
    again = program.run("study", "create", file, "--around", "tiny")
    assert "study around: ready" in again.stdout


@pytest.fixture(scope="module")
def with_grid(program: Program, tiny_file: str) -> Completed:
    """The same command again, with a grid around the winners, and its log as lines of JSON."""
    text = STUDY.partition("[space]")[0].replace("tiny", "widths")
    text += '[sampler]\nname = "grid"\n[families.mlp.space]\nunits = [8, 16]\n'
    words = ("run", tiny_file, "--grid", program.file(text, "widths.toml"), "--workers", "1")
    return program.run(*words, "--format", "json", BLOOD_HPO_LOG="json")


def test_a_grid_around_the_winners_is_part_of_the_same_run_and_of_its_report(
    program: Program, with_grid: Completed
) -> None:
    ran = Counter(row["study"] for row in json.loads(with_grid.stdout))
    assert ran == {"tiny": 6, "tiny-widths": 2}  # of the first, nothing was left to do
    shown = json.loads(program.run("study", "show", "tiny-widths", "--format", "json").stdout)
    assert shown["spec"]["families"]["mlp"]["fixed_from"] == "tiny"
    folder = program.folder / "report/tiny"
    tables = json.loads((folder / "report.json").read_text())["sections"]["effects"]["tables"]
    assert [row["units"] for row in tables["grid-mlp"]] == [8, 16]
    assert {one.name for one in (folder / "studies").iterdir()} == {"tiny.toml", "tiny-widths.toml"}


def test_logs_are_lines_of_json(program: Program, with_grid: Completed) -> None:
    lines = [json.loads(line) for line in with_grid.stderr.splitlines()]
    assert all({"time", "level", "logger", "message"} == set(line) for line in lines)
    said = [line["message"] for line in lines]
    assert {
        "tiny: 1 workers start and load TensorFlow",
        "report: report/tiny/report.html",
    } < set(said)
    assert any(one.startswith("data: SYNTHETIC") for one in said)
    log = (program.folder / ".blood_hpo/logs/tiny/worker-1.log").read_text(encoding="utf-8")
    assert json.loads(log.splitlines()[-1])["message"] == "study tiny is finished"


def test_a_drained_run_goes_on_where_it_stopped(program: Program) -> None:
    long = STUDY.replace('"tiny"', '"long"').replace("epochs = 3", "epochs = 400")
    file = program.file(long.replace("patience = 3", "patience = 400"), "long.toml")
    command = ("run", file, "--workers", "1", "--budget", "mlp=1", "--budget", "cnn=1")
    running = program.start(*command)
    wait_for_epoch(program, "long", 5)
    log = program.folder / ".blood_hpo/logs/long/worker-1.log"
    kill_server(program)
    says(log, "database back after")
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=DEADLINE)
    assert running.returncode == 130
    assert "the embedded PostgreSQL had died and was started again" in err
    assert "drained; the same command goes on from here" in err
    states = {row["family"]: row for row in rows(program, "status", "long")}
    assert sum(row["waiting"] for row in states.values()) == 1
    assert sum(row["running"] for row in states.values()) == 0

    running = program.start(*command)
    says(log, "goes on from epoch")
    running.send_signal(signal.SIGINT)
    assert running.stderr is not None
    assert any("draining" in line for line in running.stderr)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=DEADLINE)
    assert running.returncode == 130
    assert "stopped at once; what was running is tried again" in err


def kill_server(program: Program) -> None:
    pid_file = program.folder / ".blood_hpo/postgres/postmaster.pid"
    os.kill(int(pid_file.read_text().split(maxsplit=1)[0]), signal.SIGKILL)


def wait_for_epoch(program: Program, study: str, epoch: int) -> None:
    log = program.folder / f".blood_hpo/logs/{study}/worker-1.log"
    says(log, f"epoch {epoch}/")


def says(log: Path, words: str) -> None:
    until(lambda: log.exists() and words in log.read_text(encoding="utf-8"), words, DEADLINE)


def test_pause_resume_and_delete(program: Program) -> None:
    file = program.file(STUDY.replace('"tiny"', '"short-lived"'), "short.toml")
    program.run("study", "create", file)
    assert "study stop" in program.run("study", "pause", "a", "--reason", "stopped", code=2).stderr
    program.run("study", "pause", "short-lived", "--reason", " ")
    assert "is paused (paused by hand)" in program.run("status", "short-lived").stdout
    program.run("study", "pause", "short-lived", "--reason", "lunch")
    paused = program.run("run", file, "--workers", "1", code=5)
    assert "is paused: lunch; go on with `blood-hpo study resume short-lived`" in paused.stderr
    assert program.run("study", "resume", "short-lived").stdout.endswith("resumed\n")
    assert program.run("study", "resume", "short-lived").stdout.endswith("was not paused\n")
    program.run("study", "delete", "short-lived", "--yes")
    assert "short-lived" not in program.run("study", "list").stdout


def test_other_data_than_the_studys_is_refused(program: Program, tmp_path: Path) -> None:
    other = tmp_path / "other.npz"
    sizes = ("--train-size", "240", "--validation-size", "64", "--test-size", "64")
    program.run("data", "synthetic", str(other), *sizes, "--seed", "2")
    refused = program.run("worker", "tiny", "--data", str(other), code=5)
    *_, last = refused.stderr.splitlines()
    assert "was created with SYNTHETIC" in last
    assert refused.stderr.count("error: ") == 1


def test_what_is_wrong_is_said_in_one_line(program: Program, tiny_file: str) -> None:
    unknown = "there is no study 'nothing'"
    other = STUDY.partition("[families.mlp")[0].replace("tiny", "other")
    other = program.file(other + "[families.resnet]\nbudget = 1\n", "other.toml")
    long = program.file(STUDY.replace("tiny", "t" * 60), "long.toml")
    for words, code, message in (
        (("run", tiny_file, other, "--budget", "mlp=6"), 2, "the study has no family mlp"),
        (("run", tiny_file, "--grid", other), 2, "study tiny has no family resnet"),
        (("run", tiny_file, "--grid", long), 2, "a study's name is 1 to 64"),
        (("run", "nothing.toml"), 2, "nothing.toml: no such study file"),
        (("run", tiny_file, "--grid", "no.toml"), 2, "no.toml: no such study file"),
        (("trial", "files", "tiny", "77"), 5, "study 'tiny' has no trial 77"),
        (("run", tiny_file, "--budget", "mlp"), 2, "give a family and a number of trials"),
        (("run", tiny_file, "--budget", "mpl=3"), 2, 'did you mean "mlp"?'),
        (("run", tiny_file, "--data", "nothing.npz"), 3, "nothing.npz"),
        (("status", "nothing"), 5, unknown),
        (("worker", "nothing"), 5, unknown),
        (("trial", "show", "tiny", "99"), 5, "has no trial 99"),
        (("trial", "replay", "tiny", "99"), 5, "has no trial 99; see `blood-hpo study show tiny`"),
    ):
        wrong = program.run(*words, code=code)
        assert message in wrong.stderr
        assert "Traceback" not in wrong.stderr
        assert wrong.stdout == ""


def test_a_name_that_no_file_can_have_is_said_in_one_line(program: Program) -> None:
    home = "x" * 300
    wrong = program.run("study", "list", code=2, BLOOD_HPO_HOME=home, DATABASE_URL="")
    assert wrong.stderr.startswith("error: ")
    assert wrong.stderr.endswith(
        f"{home}/postgres cannot be used (File name too long); name another\n"
    )
    assert wrong.stderr.count("\n") == 1


def test_the_doctor_finds_database_and_data(program: Program) -> None:
    checks = {row["check"]: row for row in rows(program, "doctor")}
    assert checks["database"]["finding"].startswith("PostgreSQL ")
    assert checks["data set"]["finding"].startswith("SYNTHETIC")
    assert all(row["ok"] for row in checks.values())


def test_the_doctor_fails_where_something_is_missing(program: Program) -> None:
    done = program.run("doctor", "--format", "json", code=1, BLOOD_HPO_DATA="nothing.npz")
    missing = {row["check"]: row["finding"] for row in json.loads(done.stdout) if not row["ok"]}
    assert set(missing) == {"data set"}
    assert "nothing.npz" in missing["data set"]
