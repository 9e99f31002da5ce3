"""A search on containers: killed, drained, scaled, rebooted, taken down and restored."""

import os
import time

import pytest

from .conftest import Stack

pytestmark = pytest.mark.timeout(1200)  # the first test builds the images

WORKERS = 2
BUDGETS = [("cnn", "2", "2"), ("mlp", "18", "18")]


def trials(stack: Stack, state: str) -> list[tuple[str, ...]]:
    """Number and host of the study's trials in a state."""
    return stack.sql(
        "SELECT number, split_part(worker, ':', 1) FROM hpo.trials"
        f" WHERE study = 'search' AND state = '{state}' ORDER BY number"
    )


def in_training(stack: Stack) -> list[tuple[str, ...]]:
    """Number and host of the trials that have reported an epoch and were heard of a moment ago."""
    return stack.sql(
        "SELECT number, split_part(worker, ':', 1) FROM hpo.trials"
        " WHERE study = 'search' AND epoch > 1 AND state = 'RUNNING'"
        " AND heartbeat_at > now() - interval '5 s' ORDER BY number"
    )


def trained(stack: Stack) -> set[str]:
    """The containers that have held a trial at least for an epoch."""
    held = stack.sql(
        "SELECT DISTINCT split_part(worker, ':', 1) FROM hpo.trials"
        " WHERE study = 'search' AND epoch > 1"
    )
    return {host for (host,) in held}


def all_have_trained(stack: Stack, workers: int) -> bool:
    """Whether there are so many workers, and each has held a trial at least for an epoch."""
    there = set(stack.containers("worker"))
    return len(there) == workers and there <= trained(stack)


def finished(stack: Stack, study: str) -> bool:
    """Whether nothing is left to do in a study and its stages."""
    named = f"study_name = '{study}' AND finished_at IS NOT NULL"
    return bool(stack.sql(f"SELECT 1 FROM hpo.study JOIN studies USING (study_id) WHERE {named}"))


def scale(stack: Stack, workers: int) -> None:
    """Run as many workers, leaving everything else as it is."""
    stack.compose("up", "--detach", "--no-recreate", "--scale", f"worker={workers}", "worker")


@pytest.fixture(scope="module")
def search(stack: Stack) -> Stack:
    """The stack with two workers on the study ``search``, each of which is training."""
    scale(stack, WORKERS)
    stack.queue("search.toml")
    stack.wait_for(lambda: len(in_training(stack)) == WORKERS, "every worker trains")
    return stack


def test_a_bad_study_file_disturbs_nobody(search: Stack) -> None:
    names = ("db", "dashboard", "report", "reporter", "worker")
    before = {one for name in names for one in search.containers(name)}
    (search.folder / "bad.toml").write_text("name = 'x'\nsede = 1\n[training]\nepochs = 0\n")
    refused = search.queue("bad.toml", check=False)
    assert refused.returncode == 2
    (line,) = (one for one in refused.stderr.splitlines() if one.startswith("error: "))
    assert all(wrong in line for wrong in ("bad.toml", "sede", "training.epochs", "families"))
    scaled = ("--scale", f"worker={WORKERS}")
    search.compose("up", "--detach", *scaled, STUDY_FILE="bad.toml")
    assert {one for name in names for one in search.containers(name)} == before


def test_what_is_stopped_drains_and_what_is_killed_is_taken_over(search: Stack) -> None:
    killed_trial, killed_host = in_training(search)[0]
    search.run("docker", "kill", "--signal", "KILL", killed_host)
    killed = [(killed_trial, killed_host)]
    search.wait_for(lambda: trials(search, "FAIL") == killed, "its peers see it")

    start = time.monotonic()
    search.compose("stop", "worker")
    print(f"the others drained in {time.monotonic() - start:.1f} s")
    assert trials(search, "RUNNING") == []
    codes = {
        search.run("docker", "inspect", "--format", "{{.State.ExitCode}}", one).stdout.strip()
        for one in search.containers("worker", running=False)
        if not one.startswith(killed_host)
    }
    assert codes == {"130"}


@pytest.mark.parametrize("how", ["reboot", "power"])
def test_a_search_goes_on_by_itself_when_the_engine_comes_back(search: Stack, how: str) -> None:
    command = os.environ.get("BLOOD_HPO_RESTART_ENGINE")
    if command is None:
        pytest.skip("BLOOD_HPO_RESTART_ENGINE: this engine is not to be restarted")
    if how == "reboot":  # what a person has stopped stays stopped
        search.run(*command.split(), how)
        search.wait_for(search.answers, "the database runs again")
        assert search.containers("worker") == []
    scale(search, WORKERS)
    search.wait_for(lambda: len(in_training(search)) == WORKERS, "every worker trains")
    search.run(*command.split(), how)
    search.wait_for(search.answers, "the database runs again")
    search.wait_for(
        # What was left of the budget may not have been enough for all of them.
        lambda: len(in_training(search)) == WORKERS or finished(search, "search"),
        "every worker trains again",
    )
    assert len(search.containers("dashboard")) == len(search.containers("reporter")) == 1


def test_a_search_that_is_scaled_spends_exactly_its_budget(search: Stack) -> None:
    scale(search, 4)
    search.wait_for(
        # What was left of the budget may not have been enough for all four.
        lambda: all_have_trained(search, 4) or finished(search, "search"),
        "four have trained",
    )
    scale(search, 1)
    search.wait_for(lambda: finished(search, "search"), "the study is finished")

    counted = "SELECT family, budget, counted FROM hpo.progress WHERE study = 'search' ORDER BY 1"
    assert search.sql(counted) == BUDGETS
    distinct = (
        "SELECT count(*), count(DISTINCT config_hash) FROM hpo.trials"
        " WHERE study = 'search' AND state IN ('COMPLETE', 'PRUNED')"
    )
    assert search.sql(distinct) == [("20", "20")]
    print(search.sql("SELECT state, count(*) FROM hpo.trials WHERE study = 'search' GROUP BY 1"))
    assert len(trained(search)) >= WORKERS


def test_down_and_up_lose_nothing_and_repeat_nothing(search: Stack) -> None:
    everything = "SELECT number, state, score, worker FROM hpo.trials ORDER BY study, number"
    before = search.sql(everything)
    search.compose("down")
    search.compose("up", "--detach", "--scale", "worker=1")
    search.wait_for(lambda: "no study needs work" in search.logs(), "the worker looks")
    assert search.sql(everything) == before


def test_a_backup_brings_a_deleted_study_back(search: Stack) -> None:
    database = ("-U", "blood_hpo_owner", "-d", "blood_hpo")
    everything = "SELECT number, state, score, config_hash FROM hpo.trials ORDER BY study, number"
    before = search.sql(everything)
    inside = ("exec", "-T", "db")
    search.compose(*inside, "pg_dump", *database, "--format=custom", "--file=/tmp/backup")
    once = ("run", "--rm", "--no-deps", "-T")
    for command in ("pause", "resume", "check"):  # which the role of the workers may do
        search.compose(*once, "worker", "study", command, "search")
    owner = (*once, "--entrypoint", "blood-hpo", "init", "study", "delete")
    for (study,) in search.sql("SELECT study FROM hpo.studies WHERE stage = 'search'"):
        search.compose(*owner, study, "--yes")
    assert search.sql(everything) == []
    restore = ("pg_restore", *database, "--clean", "--if-exists", "--single-transaction")
    search.compose(*inside, *restore, "/tmp/backup")
    assert search.sql(everything) == before
