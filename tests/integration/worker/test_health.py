"""Whether a worker is alive follows from the heartbeat of the trial that it holds."""

import socket
import subprocess
import sys
import threading

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from blood_hpo.cli.main import app
from blood_hpo.database.address import engine
from blood_hpo.database.record import TrialRecord
from blood_hpo.errors import BloodHpoError
from blood_hpo.settings import settings
from blood_hpo.worker.claims import Claims

from .conftest import MakeStudy

HERE = f"{socket.gethostname()}:1:1"


@pytest.fixture
def program(named_database: str) -> CliRunner:
    """The program on the test's database."""
    assert named_database
    return CliRunner()


def claim(make_study: MakeStudy, worker: str) -> TrialRecord:
    study = make_study()
    found = Claims(study, worker).claim(threading.Event().wait)
    assert isinstance(found, TrialRecord)
    return found


def age(database_url: str, seconds: float) -> None:
    """Make every heartbeat that much older."""
    connected = engine(database_url)
    with connected.begin() as connection:
        older = "UPDATE hpo.attempt SET heartbeat_at = heartbeat_at - make_interval(secs => :s)"
        connection.execute(text(older), {"s": seconds})
    connected.dispose()


def test_a_fresh_heartbeat_is_healthy(make_study: MakeStudy, program: CliRunner) -> None:
    number = claim(make_study, HERE).number
    said = program.invoke(app, ["health"])
    assert (said.exit_code, said.exception) == (0, None)
    assert f"trial {number}: {HERE} heard of " in said.output


def test_silence_is_not(make_study: MakeStudy, program: CliRunner, database_url: str) -> None:
    claim(make_study, HERE)
    age(database_url, 36000)
    said = program.invoke(app, ["health"])
    assert isinstance(said.exception, BloodHpoError)
    assert f"{HERE} was not heard of for 360" in str(said.exception)


def test_what_a_predecessor_of_the_same_name_held_does_not_count(
    make_study: MakeStudy, program: CliRunner, database_url: str
) -> None:
    claim(make_study, HERE)
    age(database_url, 36000)
    connected = engine(database_url)
    with connected.begin() as connection:
        connection.execute(text("UPDATE trials SET datetime_start = '2020-01-01'"))
    connected.dispose()
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()", "worker"], stdin=subprocess.PIPE
    ):
        said = program.invoke(app, ["health"])
    assert (said.exit_code, said.output) == (0, "no trial is held here\n")


def test_other_machines_do_not_count(
    make_study: MakeStudy, program: CliRunner, database_url: str
) -> None:
    claim(make_study, f"{socket.gethostname()}x:1:1")
    age(database_url, 60)
    said = program.invoke(app, ["health"])
    assert (said.exit_code, said.output) == (0, "no trial is held here\n")


def test_an_absent_database_is_not_the_workers_fault(
    program: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    settings.cache_clear()
    said = program.invoke(app, ["health"])
    assert said.exit_code == 0
    assert "cannot tell" in said.output
