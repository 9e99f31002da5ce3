"""The same files as a stack on a swarm, scaled, and given other images, a study and a secret."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Stack

pytestmark = pytest.mark.timeout(1200)

NAME = f"blood-hpo-swarm-{os.getpid()}"
LABEL = "blood-hpo-db"
OTHER = "test-other"
IMAGES = {"worker": "worker", "reporter": "worker", "dashboard": "dashboard", "report": "report"}


class SwarmStack(Stack):
    """A stack on a swarm of this machine alone."""

    def containers(self, service: str, *, running: bool = True) -> list[str]:
        """The IDs of a service's containers."""
        every = () if running else ("--all",)
        label = f"--filter=label=com.docker.swarm.service.name={NAME}_{service}"
        return self.run("docker", "ps", "--quiet", *every, label).stdout.split()

    def made_anew(self, service: str) -> set[str]:
        """Those of a service's containers that are made of the other image."""
        name = f"blood-hpo/{IMAGES[service]}:{OTHER}"
        image = self.run("docker", "image", "inspect", "--format={{.Id}}", name).stdout
        shown = ("docker", "inspect", "--format={{.Config.Hostname}} {{.Image}}")
        made = self.run(*shown, *self.containers(service), check=False).stdout  # some end meanwhile
        return {line.split()[0] for line in made.splitlines() if line.endswith(image.strip())}

    def updated(self, *changed: str) -> bool:
        """Whether the swarm has done all that the last deployment changed of these services."""
        services = [f"{NAME}_{service}" for service in changed]
        state = ("docker", "service", "inspect", "--format={{.UpdateStatus.State}}", *services)
        return self.run(*state, check=False).stdout.split() == ["completed"] * len(services)

    def logs(self) -> str:
        """Every task of every service, and the last words of each."""
        listing = self.run("docker", "stack", "ps", "--no-trunc", NAME, check=False).stdout
        services = self.run("docker", "stack", "services", "--quiet", NAME, check=False).stdout
        for service in services.split():
            said = self.run("docker", "service", "logs", "--tail", "5", service, check=False)
            listing += said.stdout + said.stderr
        return listing

    def deploy(self, **changes: Any) -> None:
        """Give the stack to the swarm, as docs/scaling.md does."""
        overlay = os.environ.get("BLOOD_HPO_COMPOSE_OVERLAY")
        self.run("docker/swarm.sh", *(("--file", overlay) if overlay else ()), **changes)

    def remove(self) -> None:
        """Take it away, with its volumes."""
        self.run("docker", "stack", "rm", NAME, check=False)
        label = f"--filter=label=com.docker.stack.namespace={NAME}"
        left = ("docker", "ps", "--all", "--quiet", label)
        self.wait_for(lambda: not self.run(*left).stdout, "its containers are gone")
        volumes = self.run("docker", "volume", "ls", "--quiet", label).stdout.split()
        self.run("docker", "volume", "rm", "--force", *volumes, check=False)


@pytest.fixture(scope="module")
def swarm(stack: Stack) -> Iterator[SwarmStack]:
    """The stack on a swarm with three workers; its images are those of the composed stack."""
    asked = stack.run("docker", "info", "--format", "{{.Swarm.ControlAvailable}}").stdout
    if asked.strip() != "true":
        pytest.skip("this engine is no manager of a swarm; `docker swarm init` makes it one")
    named = {"STACK": NAME, "COMPOSE_FILE": "", "COMPOSE_PROJECT_NAME": NAME}
    settings = {**stack.environment, **named, "STUDY_FILE": "swarm.toml", "WORKERS": "3"}
    found = SwarmStack(stack.folder, settings)
    (node,) = found.run("docker", "node", "ls", "--quiet").stdout.split()
    found.run("docker", "node", "update", "--label-add", f"{LABEL}=true", node)
    try:
        found.deploy()
        yield found
    finally:
        found.remove()
        found.run("docker", "node", "update", "--label-rm", LABEL, node, check=False)


def hosts(swarm: SwarmStack, condition: str) -> set[str]:
    """The containers that hold or have ended a trial of the search."""
    named = f"SELECT DISTINCT split_part(worker, ':', 1) FROM hpo.trials WHERE {condition}"
    return {host for (host,) in swarm.sql(f"{named} AND study = 'swarm'")} - {""}


def finished(swarm: SwarmStack, studies: int) -> bool:
    """Whether so many studies and their stages have nothing left to do."""
    asked = "SELECT count(*) FROM hpo.study WHERE finished_at IS NOT NULL"
    return swarm.sql(asked) == [(str(studies),)]


def test_a_stack_that_is_scaled_and_made_anew_spends_exactly_its_budget(swarm: SwarmStack) -> None:
    job = ("docker", "service", "ls", f"--filter=name={NAME}_init", "--format={{.Replicas}}")
    swarm.wait_for(lambda: "(1/1 completed)" in swarm.run(*job).stdout, "init has ended")
    swarm.wait_for(lambda: len(hosts(swarm, "epoch > 0")) == 3, "three containers train")
    database = swarm.containers("db")
    swarm.compose("build", BLOOD_HPO_TAG=OTHER, COMPOSE_FILE="docker-compose.yml")
    begun = time.monotonic()
    swarm.deploy(BLOOD_HPO_TAG=OTHER, WORKERS="5")
    swarm.wait_for(lambda: swarm.updated(*IMAGES), "all are made anew")
    print(f"three workers were made anew in {time.monotonic() - begun:.1f} s")
    for service in IMAGES:
        assert len(swarm.made_anew(service)) == len(swarm.containers(service)), service
    assert swarm.containers("db") == database
    new = swarm.made_anew("worker")
    assert len(new) == 5
    swarm.wait_for(
        # What was left of the budget may not have been enough for all five.
        lambda: new & hosts(swarm, "epoch > 0") == new or finished(swarm, 1),
        "five have trained",
    )
    begun = time.monotonic()
    swarm.run("docker", "service", "scale", "--detach", f"{NAME}_worker=2")
    swarm.wait_for(lambda: len(swarm.containers("worker")) <= 2, "three have drained")
    print(f"three workers drained in {time.monotonic() - begun:.1f} s")

    (served,) = swarm.containers("report")
    page = ("docker", "exec", served, "cat", "/report/swarm/report.html")
    swarm.wait_for(lambda: "SYNTHETIC" in swarm.run(*page, check=False).stdout, "it is reported")

    spent = "SELECT bool_and(counted = budget) FROM hpo.progress WHERE study LIKE 'swarm%'"
    assert swarm.sql(spent) == [("t",)]
    assert new & hosts(swarm, "state = 'COMPLETE'")
    ended = "study = 'swarm' AND state IN ('COMPLETE', 'PRUNED')"
    distinct = f"SELECT count(*), count(DISTINCT config_hash) FROM hpo.trials WHERE {ended}"
    assert swarm.sql(distinct) == [("24", "24")]
    assert swarm.sql("SELECT count(*) FROM hpo.trials WHERE state = 'FAIL'") == [("0",)]


def test_another_study_and_another_secret_are_deployed_by_the_same_command(
    swarm: SwarmStack,
) -> None:
    before = set(swarm.containers("worker"))
    changed = {"STUDY_FILE": "smoke.toml", "WORKERS": "2", "BLOOD_HPO_TAG": OTHER}
    swarm.run("docker", "tag", "blood-hpo/report:test", f"blood-hpo/report:{OTHER}")
    swarm.deploy(**changed)
    swarm.wait_for(lambda: finished(swarm, 2), "the second study is finished")
    assert set(swarm.containers("worker")) == before
    swarm.wait_for(lambda: swarm.made_anew("report"), "an image of the same name is noticed")

    secret = swarm.folder / "secrets/worker_url"
    old = secret.read_text()
    secret.unlink()
    swarm.run("docker/secrets.sh")
    swarm.deploy(**changed)
    (database,) = swarm.containers("db")

    def refused() -> bool:
        asked = ("docker", "exec", database, "psql", old.strip(), "-c", "SELECT 1")
        return "authentication failed" in swarm.run(*asked, check=False).stderr

    swarm.wait_for(refused, "the old password is refused")
    healthy = ("docker", "ps", "--quiet", "--filter=health=healthy", f"--filter=name={NAME}_worker")
    swarm.wait_for(
        lambda: len(set(swarm.run(*healthy).stdout.split()) - before) == 2, "new workers are well"
    )
    swarm.wait_for(lambda: swarm.updated("worker", "reporter"), "all have the new password")


def test_no_secret_is_in_what_the_swarm_shows(swarm: SwarmStack) -> None:
    shown = swarm.logs()
    for kind in ("service", "secret", "config"):
        ids = swarm.run("docker", kind, "ls", "--quiet").stdout.split()
        shown += swarm.run("docker", kind, "inspect", *ids).stdout
    assert [password for password in swarm.passwords() if password in shown] == []
