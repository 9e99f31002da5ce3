"""What the running stack does not do: show a secret, change anything for a reader, run as root."""

import json
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any

import pytest

from blood_hpo.server.programs import program

from .conftest import Stack

pytestmark = pytest.mark.timeout(1200)  # the first test builds the images


COMPOSED = ("docker", "compose", "config", "--format", "json")
PUBLISHED = {"dashboard", "report"}


def ask(stack: Stack, method: str, path: str, port: str = "DASHBOARD_PORT") -> tuple[int, str]:
    """Status and body of the dashboard's, or another service's, answer."""
    address = f"http://127.0.0.1:{stack.environment[port]}{path}"
    request = urllib.request.Request(address, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def psql(stack: Stack, role: str, statement: str) -> str:
    """What the server says to a role that logs in over the network with its own password."""
    login = stack.secrets()[f"{role}_url"]
    return stack.compose("exec", "-T", "db", "psql", login, "-Atc", statement, check=False).stderr


def inspected(stack: Stack) -> list[dict[str, Any]]:
    """What the engine knows of every container of the stack."""
    ids = stack.compose("ps", "--all", "--quiet").stdout.split()
    found: list[dict[str, Any]] = json.loads(stack.run("docker", "inspect", *ids).stdout)
    return found


def test_no_secret_is_in_what_the_engine_shows_or_in_any_log(stack: Stack) -> None:
    passwords = stack.passwords()
    assert len(passwords) == 4
    assert all(len(password) == 64 for password in passwords)
    shown = json.dumps(inspected(stack)) + stack.compose("logs").stdout
    shown += stack.compose("config").stdout
    for container in stack.compose("ps", "--quiet").stdout.split():
        shown += stack.run("docker", "top", container, "-eo", "pid,args").stdout
    assert [password for password in passwords if password in shown] == []


def test_secrets_are_for_their_owner_alone(stack: Stack) -> None:
    modes = {path.stat().st_mode & 0o777 for path in (stack.folder / "secrets").iterdir()}
    assert modes == {0o600}


def test_containers_have_no_privileges_and_no_writable_root(stack: Stack) -> None:
    for container in inspected(stack):
        host = container["HostConfig"]
        name = container["Name"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"], name
        assert host["PidsLimit"], name
        assert host["LogConfig"]["Config"] == {"max-file": "3", "max-size": "10m"}, name
        if "-db-" not in name:
            assert not host["CapAdd"], name
            assert not container["Config"]["User"].startswith(("0", "root")), name


def test_only_this_machine_reaches_the_published_ports(stack: Stack) -> None:
    published = {
        (port, binding["HostIp"])
        for container in inspected(stack)
        for port, bindings in container["NetworkSettings"]["Ports"].items()
        for binding in bindings or ()
    }
    assert {host for _, host in published} == {"127.0.0.1"}
    plain = json.loads(stack.run(*COMPOSED, COMPOSE_FILE="docker-compose.yml").stdout)
    assert {name for name, one in plain["services"].items() if one.get("ports")} == PUBLISHED


def test_the_dashboard_shows_studies_and_changes_none(stack: Stack) -> None:
    def answers() -> bool:
        with suppress(OSError):  # the engine takes a connection before the dashboard listens
            status, body = ask(stack, "GET", "/api/studies")
            return status == 200 and bool(json.loads(body)["study_summaries"])  # it is created
        return False

    stack.wait_for(answers, "the dashboard shows the study")
    assert ask(stack, "GET", "/dashboard")[0] == 200
    studies = json.loads(ask(stack, "GET", "/api/studies")[1])["study_summaries"]
    status, body = ask(stack, "DELETE", f"/api/studies/{studies[0]['study_id']}")
    assert (status, "only reads" in body) == (403, True)
    assert json.loads(ask(stack, "GET", "/api/studies")[1])["study_summaries"] == studies


def test_the_report_of_a_finished_study_is_served(stack: Stack) -> None:
    address = f"http://127.0.0.1:{stack.environment['REPORT_PORT']}/smoke/report.html"
    said = f"study smoke is finished: {address}"
    stack.wait_for(lambda: said in stack.compose("logs", "reporter").stdout, "it says so")
    status, page = ask(stack, "GET", "/smoke/report.html", port="REPORT_PORT")
    assert status == 200
    assert "SYNTHETIC" in page
    assert ask(stack, "GET", "/reports/smoke/report.html") == (200, page)  # the note leads there


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("worker", "DELETE FROM trials"),
        ("worker", "DROP TABLE trials"),
        ("worker", "DROP VIEW hpo.trials"),
        ("dashboard", "DELETE FROM studies"),
        ("dashboard", "UPDATE studies SET study_name = 'x'"),
        ("analyst", "SELECT * FROM public.trials"),
        ("analyst", "CREATE TABLE hpo.mine (id integer)"),
    ],
)
def test_a_role_may_not_do_more_than_it_needs(stack: Stack, role: str, statement: str) -> None:
    said = psql(stack, role, statement)
    assert "permission denied" in said or "must be owner" in said or "read-only" in said


def test_the_analyst_reads_the_views(stack: Stack) -> None:
    asked = stack.compose("run", "--rm", "-T", "psql", "-Atc", "SELECT study FROM hpo.studies")
    assert "smoke" in asked.stdout.split()
    assert "smoke" in stack.compose("run", "--rm", "-T", "analyst").stdout


def test_the_analyst_reaches_the_published_database_from_this_machine(stack: Stack) -> None:
    here = f"127.0.0.1:{stack.environment['DATABASE_PORT']}"
    login = stack.secrets()["analyst_url"].replace("db:5432", here)

    def ask_from_here(statement: str) -> str:
        asked = stack.run(str(program("psql")), login, "-Atc", statement, check=False)
        return asked.stdout + asked.stderr

    assert "smoke" in ask_from_here("SELECT study FROM hpo.studies").split()
    assert "permission denied" in ask_from_here("SELECT * FROM public.trials")


def test_every_service_becomes_healthy(stack: Stack) -> None:
    def health() -> set[str]:
        return {
            container["State"]["Health"]["Status"]
            for container in inspected(stack)
            if "Health" in container["State"] and container["State"]["Running"]
        }

    stack.wait_for(lambda: health() == {"healthy"}, "healthy services")
