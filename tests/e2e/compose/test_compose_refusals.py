"""What is wrong is said in one line that names it and what to do."""

import json
import socket
from pathlib import Path

import pytest

from .conftest import Stack

pytestmark = pytest.mark.timeout(1200)  # the first test builds the images

WORKER = "blood-hpo/worker:test"


def refused(stack: Stack, *arguments: str, code: int, service: str = "worker", **env: str) -> str:
    """The one line of a service that ends with this exit code at once."""
    done = stack.compose("run", "--rm", "--no-deps", "-T", service, *arguments, check=False, **env)
    assert done.returncode == code, done.stdout + done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert "Traceback" not in done.stderr
    return str(line)


def engine_refuses(stack: Stack, *arguments: str, **environment: str) -> str:
    """What compose says when it cannot start a container at all."""
    done = stack.compose("run", "--rm", "--no-deps", "-T", *arguments, check=False, **environment)
    assert done.returncode != 0
    return str(done.stderr)


def test_a_missing_secret_is_named(stack: Stack, tmp_path: Path) -> None:
    secret = stack.folder / "secrets/analyst_url"
    kept = secret.rename(tmp_path / "kept")
    try:
        said = engine_refuses(stack, "analyst")
    finally:
        kept.rename(secret)
    assert "secrets/analyst_url" in said


def test_an_empty_secret_is_named(stack: Stack) -> None:
    secret = stack.folder / "secrets/analyst_url"
    text = secret.read_text()
    try:
        secret.write_text("")
        line = refused(stack, "status", service="analyst", code=2)
    finally:
        secret.write_text(text)
    assert "the secret secrets/analyst_url is empty; write" in line


AWAY = ("--env", "DATABASE_URL=postgresql://user@127.0.0.1:9/blood_hpo")


def test_a_worker_waits_for_a_database_that_is_away(stack: Stack) -> None:
    worker = stack.run("docker", "run", "--detach", "--init", *AWAY, WORKER, "worker", "smoke")
    container = worker.stdout.strip()
    try:
        logs = ("docker", "logs", container)
        stack.wait_for(lambda: "Connection refused" in stack.run(*logs).stderr, "it says so", 60)
        stack.run("docker", "stop", container)
        state = stack.run("docker", "inspect", "--format", "{{.State.ExitCode}}", container)
        assert state.stdout.strip() == "130"
    finally:
        stack.run("docker", "rm", "--force", container)


def test_a_full_data_volume_is_named(stack: Stack) -> None:
    said = stack.run(
        *("docker", "run", "--rm", "--tmpfs", "/data:size=64k,mode=1777", WORKER),
        *("data", "synthetic", "/data/cells.npz"),
        check=False,
    )
    assert said.returncode == 3
    assert "/data/cells.npz" in said.stderr
    assert "No space left on device" in said.stderr


def test_a_read_only_data_volume_is_named(stack: Stack) -> None:
    said = stack.run(
        *("docker", "run", "--rm", "--network", "none", "--read-only", WORKER, "data", "fetch"),
        check=False,
    )
    assert said.returncode == 3
    assert "Read-only file system" in said.stderr
    assert "set BLOOD_HPO_DATA to a file of your own" in said.stderr


def test_a_missing_study_file_is_named(stack: Stack) -> None:
    assert "none.toml" in engine_refuses(stack, "study", STUDY_FILE="none.toml")


def test_missing_secrets_and_data_are_named_before_anything_is_built(stack: Stack) -> None:
    (stack.folder / "none.env").touch()
    bare = ("docker", "compose", "--env-file", "none.env", "up", "--detach")
    said = stack.run(*bare, check=False).stderr
    assert "there are no secrets yet; run make secrets" in said
    said = stack.run("docker/secrets.sh", check=False, DATA_FILE="none.npz").stderr
    assert said == "error: DATA_FILE none.npz: no such file; correct or unset it\n"


def test_an_image_that_a_swarm_lacks_is_named_before_anything_is_deployed(stack: Stack) -> None:
    stack.run("docker", "tag", "blood-hpo/report:test", "blood-hpo/report:half")
    settings = stack.folder / ".env"
    text = settings.read_text()
    settings.write_text(f"{text}BLOOD_HPO_TAG=half\n")
    try:
        said = stack.run("env", "--unset=BLOOD_HPO_TAG", "docker/swarm.sh", check=False)
    finally:
        settings.write_text(text)
        stack.run("docker", "image", "rm", "blood-hpo/report:half")
    assert said.returncode == 2
    assert said.stderr.startswith("error: no image blood-hpo/worker:half; ")
    assert said.stderr.count("\n") == 1


def test_a_taken_port_is_named(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = engine_refuses(stack, "--service-ports", "dashboard", DASHBOARD_PORT=port)
    assert port in said
    assert "already in use" in said or "already allocated" in said


def test_a_program_older_than_the_schema_says_so(stack: Stack) -> None:
    stack.sql("INSERT INTO hpo.migration VALUES (999, '0999_later.sql', '', 'later')")
    try:
        line = refused(stack, "worker", "smoke", code=4)
    finally:
        stack.sql("DELETE FROM hpo.migration WHERE number = 999")
    assert "migration 999, newer than this program's" in line
    assert "update blood_hpo" in line


def test_two_stacks_share_nothing(stack: Stack) -> None:
    def names(project: str) -> set[str]:
        said = stack.compose("config", "--format", "json", COMPOSE_PROJECT_NAME=project).stdout
        config = json.loads(said)
        assert [one for one in config["services"].values() if "container_name" in one] == []
        return {one["name"] for kind in ("networks", "volumes") for one in config[kind].values()}

    assert names("one")
    assert names("one") & names("two") == set()
