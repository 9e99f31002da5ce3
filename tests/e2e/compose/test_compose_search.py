"""A search on containers that are killed, drained, scaled, taken down and put up again."""

import time

import pytest

from .conftest import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]  # the first test builds the images

WORKERS = 3
BUDGETS = [("cnn", "2", "2"), ("mlp", "10", "10")]
STUDY = {"STUDY_FILE": "search.toml"}


def trials(stack: Stack, state: str) -> list[tuple[str, str]]:
    """Number and host of the study's trials in a state."""
    return stack.sql(
        "SELECT number, split_part(worker, ':', 1) FROM hpo.trials"
        f" WHERE study = 'search' AND state = '{state}' ORDER BY number"
    )


def in_training(stack: Stack) -> list[tuple[str, str]]:
    """Number and host of the running trials that have reported an epoch."""
    return stack.sql(
        "SELECT number, split_part(worker, ':', 1) FROM hpo.trials"
        " WHERE study = 'search' AND state = 'RUNNING' AND epoch > 1 ORDER BY number"
    )


def hosts(stack: Stack) -> set[str]:
    """The containers that finished a trial."""
    return {host for _, host in (*trials(stack, "COMPLETE"), *trials(stack, "PRUNED"))}


def have_trained(stack: Stack, workers: int) -> bool:
    """Whether there are so many workers, and each has held a trial at least for an epoch."""
    held = stack.sql(
        "SELECT DISTINCT split_part(worker, ':', 1) FROM hpo.trials"
        " WHERE study = 'search' AND epoch > 1"
    )
    there = set(stack.containers("worker"))
    return len(there) == workers and there <= {host for (host,) in held}


def workers_ended(stack: Stack) -> bool:
    """Whether no container of the service runs any more."""
    return not stack.containers("worker")


def scale(stack: Stack, workers: int) -> None:
    """Run as many workers, leaving everything else as it is."""
    stack.compose("up", "--detach", "--no-deps", "--scale", f"worker={workers}", "worker", **STUDY)


@pytest.fixture(scope="module")
def search(stack: Stack) -> Stack:
    """The stack with three workers on the study ``search``, each of which is training."""
    stack.compose("up", "--detach", "--scale", f"worker={WORKERS}", **STUDY)
    stack.wait_for(lambda: len(in_training(stack)) == WORKERS, "every worker trains")
    return stack


def test_a_search_spends_exactly_its_budget_whatever_happens(search: Stack) -> None:
    killed_trial, killed_host = in_training(search)[0]
    search.run("docker", "kill", "--signal", "KILL", killed_host)
    killed = [(killed_trial, killed_host)]
    search.wait_for(lambda: trials(search, "FAIL") == killed, "its peers see it")

    search.wait_for(lambda: len(in_training(search)) == WORKERS - 1, "the others train")
    start = time.monotonic()
    search.compose("stop", "worker", **STUDY)
    print(f"three workers drained in {time.monotonic() - start:.1f} s")
    assert trials(search, "RUNNING") == []
    assert trials(search, "WAITING")
    codes = {
        search.run("docker", "inspect", "--format", "{{.State.ExitCode}}", one).stdout.strip()
        for one in search.containers("worker", running=False)
        if not one.startswith(killed_host)
    }
    assert codes == {"0"}

    scale(search, 4)
    search.wait_for(lambda: have_trained(search, 4), "four have trained")
    scale(search, 1)
    search.wait_for(lambda: workers_ended(search), "the last worker ends")

    counted = "SELECT family, budget, counted FROM hpo.progress WHERE study = 'search' ORDER BY 1"
    assert search.sql(counted) == BUDGETS
    distinct = (
        "SELECT count(*), count(DISTINCT config_hash) FROM hpo.trials"
        " WHERE study = 'search' AND state IN ('COMPLETE', 'PRUNED')"
    )
    assert search.sql(distinct) == [("12", "12")]
    assert trials(search, "FAIL") == killed
    assert len(hosts(search)) >= WORKERS


def test_down_and_up_lose_nothing_and_repeat_nothing(search: Stack) -> None:
    search.wait_for(lambda: workers_ended(search), "the study is finished")
    everything = "SELECT number, state, score, worker FROM hpo.trials ORDER BY study, number"
    before = search.sql(everything)
    search.compose("down", **STUDY)
    search.compose("up", "--detach", **STUDY)
    search.wait_for(lambda: workers_ended(search), "the workers see that nothing is left")
    assert "study search is finished" in search.compose("logs", "worker", **STUDY).stdout
    assert search.sql(everything) == before


def test_a_backup_brings_a_deleted_study_back(search: Stack) -> None:
    database = ("-U", "blood_hpo_owner", "-d", "blood_hpo")
    everything = "SELECT number, state, score, config_hash FROM hpo.trials ORDER BY study, number"
    before = search.sql(everything)
    inside = ("exec", "-T", "db")
    search.compose(*inside, "pg_dump", *database, "--format=custom", "--file=/tmp/backup")
    search.sql("TRUNCATE studies CASCADE")
    assert search.sql(everything) == []
    restore = ("pg_restore", *database, "--clean", "--if-exists", "--single-transaction")
    search.compose(*inside, *restore, "/tmp/backup")
    assert search.sql(everything) == before
