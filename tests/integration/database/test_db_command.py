"""``blood-hpo db`` in processes of its own."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from blood_hpo.database.address import connected, embedded_url
from blood_hpo.database.scripts import migrations
from blood_hpo.server import embedded
from blood_hpo.settings import Settings

from ...forks import Completed, Forks
from .conftest import PASSWORD

Db = Callable[..., Completed]
Start = Callable[..., Completed]
HEAVY = """
import sys
from blood_hpo.cli.main import main
try:
    main()
finally:
    print("loaded:", *({"tensorflow", "keras", "optuna"} & set(sys.modules)))
"""


def environment(**variables: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BLOOD_HPO", "DATABASE"))}
    return {**kept, **variables}


@pytest.fixture
def start(light_forks: Forks, tmp_path: Path) -> Start:
    """Runs the command under some variables, from a folder that has no database."""
    return lambda variables, *words: light_forks.run(
        ["db", *words], tmp_path, environment(**variables)
    )


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="blood-hpo-test-"))
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder)


@pytest.fixture
def db(home: Path, start: Start) -> Db:
    """Runs the command on an embedded server."""
    return lambda *words: start({"BLOOD_HPO_HOME": str(home)}, *words)


@pytest.fixture
def guarded_db(guarded_url: str, start: Start) -> Db:
    """Runs the command on a server that asks for a password."""
    return lambda *words: start({"DATABASE_URL": guarded_url}, *words)


def test_status_starts_nothing_and_says_so(db: Db, home: Path) -> None:
    embedded.ensure_running(home)
    embedded.release(home)
    (found,) = json.loads(db("status", "--format", "json").stdout)
    assert found == {
        "server": f"embedded in {home / 'postgres'}",
        "pinned": False,
        "running": False,
    }


def test_a_started_server_is_there_until_it_is_stopped(
    db: Db, home: Path, light_forks: Forks
) -> None:
    assert db("start").returncode == 0
    (found,) = json.loads(db("status", "--format", "json").stdout)
    assert (found["pinned"], found["running"], found["schema"][:4]) == (True, True, "none")
    assert "created Optuna's tables" in db("migrate").stdout
    assert f"migration {len(migrations())}" in db("status").stdout
    with connected(embedded_url(Settings(home=home))) as found, found.begin() as connection:
        connection.exec_driver_sql("UPDATE hpo.migration SET digest = 'another'")
    assert "use the build that applied it" in db("status").stdout
    doctor = light_forks.run(["doctor"], home, environment(BLOOD_HPO_HOME=str(home)))
    assert doctor.returncode == 1
    assert "use the build that applied it" in doctor.stdout
    assert db("stop").stdout == "PostgreSQL is stopped\n"
    assert not embedded.is_running(home)
    assert db("stop").stdout == "PostgreSQL was not running\n"


def test_psql_passes_arguments_and_exit_codes_through(db: Db) -> None:
    done = db("psql", "-Atc", "SELECT 6 * 7")
    assert (done.returncode, done.stdout) == (0, "42\n")
    assert db("psql", "-c", "nonsense").returncode == 1


def test_the_password_is_shown_only_where_it_is_asked_for(guarded_db: Db, guarded_url: str) -> None:
    shown = guarded_db("url").stdout
    assert PASSWORD not in shown
    assert ":***@" in shown
    assert guarded_db("url", "--show-password").stdout.strip() == guarded_url
    assert "s3cret" not in guarded_db("url", "--libpq").stdout
    assert "s3cret%2Fword" in guarded_db("url", "--libpq", "--show-password").stdout
    assert "s3cret" not in guarded_db("status").stdout


def test_psql_logs_in_without_a_password_on_its_command_line(guarded_db: Db) -> None:
    done = guarded_db("psql", "-At", "-c", "SELECT current_user", "-c", r"\! ps -o args= -p $PPID")
    assert done.returncode == 0, done.stderr
    user, command_line = done.stdout.splitlines()
    assert user == "guarded"
    assert "psql" in command_line
    assert "s3cret" not in command_line


@pytest.mark.parametrize("command", ["start", "stop"])
def test_a_server_of_others_is_not_started_or_stopped(guarded_db: Db, command: str) -> None:
    done = guarded_db(command)
    assert done.returncode == 2
    assert done.stderr.startswith("error: DATABASE_URL is set, so there is no embedded server")


def test_a_wrong_password_is_one_line_and_code_4(guarded_url: str, start: Start) -> None:
    wrong = make_url(guarded_url).set(password="s3cret!").render_as_string(hide_password=False)
    done = start({"DATABASE_URL": wrong}, "migrate")
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "password authentication failed" in line
    assert "s3cret" not in line


def test_an_address_of_another_database_is_one_line_and_code_2(start: Start) -> None:
    done = start({"DATABASE_URL": "mysql://me:s3cret@host/study"}, "url")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize("command", ["status", "url", "start", "stop"])
def test_looking_at_the_database_loads_nothing_heavy(
    home: Path, light_forks: Forks, tmp_path: Path, command: str
) -> None:
    variables = environment(BLOOD_HPO_HOME=str(home))
    done = light_forks.run(["db", command], tmp_path, variables, HEAVY)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "loaded:"
