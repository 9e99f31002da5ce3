"""The embedded server: who starts it, who stops it, and what must not keep it from starting."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest

from blood_hpo.errors import DatabaseError
from blood_hpo.server import cluster, embedded

from ...waiting import until

USER = """
import pathlib, sys
from blood_hpo.server import embedded
print(embedded.ensure_running(pathlib.Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""
User = subprocess.Popen[str]
StartUser = Callable[[Path], User]


@pytest.fixture
def home() -> Iterator[Path]:
    # Not in pytest's own folder, which every other run of pytest closes to the server's account.
    outside = Path(tempfile.mkdtemp(prefix="blood-hpo-test-"))
    yield outside / "home"
    embedded.release(outside / "home")
    embedded.stop(outside / "home")
    shutil.rmtree(outside)


@pytest.fixture
def start_user() -> Iterator[StartUser]:
    """Starts a process that uses the server until its standard input is closed."""
    users: list[User] = []

    def start(home: Path) -> User:
        command = [sys.executable, "-c", USER, str(home)]
        user = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None
        )
        users.append(user)
        return user

    yield start
    for user in users:
        user.kill()
        user.communicate()


def ready(user: User) -> Path:
    assert user.stdout
    return Path(user.stdout.readline().strip())


def leave(user: User) -> None:
    user.communicate("")
    assert user.returncode == 0


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])


def answer(socket_folder: Path, asked: str = "SELECT 42") -> object:
    connection = psycopg2.connect(
        host=str(socket_folder), user="postgres", dbname=embedded.DATABASE
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute(asked)
            return cursor.fetchone()
    finally:
        connection.close()


def test_the_first_user_starts_the_server_and_the_last_stops_it(
    home: Path, start_user: StartUser
) -> None:
    first = start_user(home)
    ready(first)
    second = start_user(home)
    socket_folder = ready(second)
    leave(first)
    assert embedded.is_running(home)
    assert answer(socket_folder) == (42,)
    leave(second)
    assert not embedded.is_running(home)


def test_users_that_come_at_once_share_one_new_server(home: Path, start_user: StartUser) -> None:
    users = [start_user(home) for _ in range(4)]
    assert len({ready(user) for user in users}) == 1
    log = (home / "postgres" / "server.log").read_text()
    assert log.count("ready to accept connections") == 1
    for user in users:
        leave(user)
    assert not embedded.is_running(home)


def test_a_killed_user_does_not_count(home: Path, start_user: StartUser) -> None:
    killed = start_user(home)
    ready(killed)
    killed.kill()
    killed.wait()
    assert embedded.is_running(home)
    other = start_user(home)
    ready(other)
    leave(other)
    assert not embedded.is_running(home)


def test_a_pinned_server_stays_until_it_is_stopped(home: Path) -> None:
    embedded.pin(home)
    embedded.release(home)
    assert embedded.is_pinned(home)
    assert embedded.is_running(home)
    assert embedded.stop(home)
    assert not embedded.is_pinned(home)
    assert not embedded.is_running(home)
    assert not embedded.stop(home)


def test_what_is_not_there_is_not_made_by_stopping_it(home: Path) -> None:
    assert not embedded.stop(home)
    embedded.release(home)
    assert not home.exists()


def test_data_survives_a_killed_server(home: Path) -> None:
    socket_folder = embedded.ensure_running(home)
    idle = psycopg2.connect(host=str(socket_folder), user="postgres", dbname=embedded.DATABASE)
    with idle, idle.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(postmaster(home), signal.SIGKILL)
    until(lambda: not embedded.is_running(home), "the server has stopped")
    with pytest.raises(psycopg2.OperationalError):
        answer(socket_folder)
    embedded.ensure_running(home)
    assert answer(socket_folder, "SELECT number FROM kept") == (7,)


def test_a_server_that_died_is_revived_and_one_that_was_stopped_is_not(home: Path) -> None:
    socket_folder = embedded.ensure_running(home)
    assert not embedded.revive(home)
    os.kill(postmaster(home), signal.SIGKILL)
    until(lambda: not embedded.is_running(home), "the server has stopped")
    assert embedded.revive(home)
    psycopg2.connect(host=str(socket_folder), user="postgres", dbname=embedded.DATABASE).close()
    embedded.stop(home)
    assert not embedded.revive(home)


def test_a_server_that_ended_by_itself_is_revived_when_it_can_start(home: Path) -> None:
    embedded.ensure_running(home)
    os.kill(postmaster(home), signal.SIGTERM)  # as a full disk ends it: its file is taken away
    until(lambda: not (home / "postgres/postmaster.pid").exists(), "the server has ended")
    control = home / "postgres/global/pg_control"
    control.rename(control.with_name("away"))
    assert not embedded.revive(home)
    control.with_name("away").rename(control)
    assert embedded.revive(home)


def crash(home: Path) -> None:
    """Have the server begin to recover: to read again what it wrote since the last checkpoint."""
    with closing(embedded._connect(embedded._cluster(home), embedded.DATABASE)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS filled AS SELECT 0 AS i, '' AS t; CHECKPOINT"
            )
            rows = "SELECT i, repeat('x', 200) FROM generate_series(1, 1000000) AS i"
            cursor.execute(f"INSERT INTO filled {rows}")
    children = psutil.Process(postmaster(home)).children()
    (writer,) = [one for one in children if "walwriter" in " ".join(one.cmdline())]
    writer.kill()
    until(lambda: not embedded._accepts_connections(embedded._cluster(home)), "it has noticed")


def test_a_server_that_recovers_is_waited_for(home: Path) -> None:
    embedded.ensure_running(home)
    crash(home)
    assert answer(embedded.ensure_running(home), "SELECT count(*) FROM filled") == (1_000_001,)


def test_a_server_that_is_stopped_while_it_recovers_ends_all_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.ensure_running(home)
    monkeypatch.setattr(cluster, "PATIENCE", 2)
    crash(home)
    assert embedded.stop(home)
    assert not embedded.is_running(home)
    monkeypatch.undo()
    assert answer(embedded.ensure_running(home), "SELECT count(*) FROM filled") == (1_000_001,)


def test_a_pid_file_that_names_another_process_is_no_server(home: Path) -> None:
    embedded.ensure_running(home)
    os.kill(postmaster(home), signal.SIGKILL)
    until(lambda: not embedded.is_running(home), "the server has stopped")
    pid_file = home / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert not embedded.stop(home)
    assert answer(embedded.ensure_running(home)) == (42,)


@pytest.mark.parametrize("name", ["two words", "a 'quoted' $name, and more", "long" * 40])
def test_any_folder_will_do(home: Path, name: str) -> None:
    unusual = home / name
    socket_folder = embedded.ensure_running(unusual)
    assert answer(socket_folder) == (42,)
    assert socket_folder.stat().st_mode & 0o077 == 0
    embedded.release(unusual)
    assert not embedded.is_running(unusual)


def test_a_door_that_somebody_else_made_is_not_knocked_at(home: Path) -> None:
    unusual = home / ("long" * 40)
    door = embedded.ensure_running(unusual)
    embedded.release(unusual)
    door.mkdir(mode=0o755)
    with socket.socket(socket.AF_UNIX) as impostor:
        impostor.bind(str(door / ".s.PGSQL.5432"))
        impostor.listen()
        impostor.setblocking(False)
        with pytest.raises(DatabaseError, match="should be private"):
            embedded.ensure_running(unusual)
        with pytest.raises(BlockingIOError):
            impostor.accept()
    shutil.rmtree(door)
    assert answer(embedded.ensure_running(unusual)) == (42,)
    embedded.release(unusual)


def test_no_other_account_can_hold_the_locks(home: Path) -> None:
    embedded.ensure_running(home)
    modes = [(home / f"postgres.{name}").stat().st_mode & 0o777 for name in ("users", "turn")]
    assert modes == [0o600, 0o600]


def test_an_empty_data_folder_is_filled(home: Path) -> None:
    (home / "postgres").mkdir(parents=True)
    assert answer(embedded.ensure_running(home)) == (42,)


def test_the_data_of_another_major_version_is_refused(home: Path) -> None:
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(DatabaseError, match="holds PostgreSQL 16, this program brings Post"):
        embedded.ensure_running(home)


def test_a_folder_of_something_else_is_left_alone(home: Path) -> None:
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "letter.txt").write_text("dear all")
    with pytest.raises(DatabaseError, match="cannot be used as a data folder"):
        embedded.ensure_running(home)
    assert (home / "postgres" / "letter.txt").read_text() == "dear all"


def test_a_home_that_cannot_be_written_is_one_line(home: Path) -> None:
    home.write_text("a file")
    with pytest.raises(DatabaseError, match="set BLOOD_HPO_HOME to a folder") as caught:
        embedded.ensure_running(home / "inside")
    assert "\n" not in str(caught.value)
    home.unlink()


def test_a_full_disk_leaves_no_half_made_folder(home: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(DatabaseError, match="cannot make its folder") as caught:
            embedded.ensure_running(home)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in home.iterdir()) == ["postgres.turn"]
    assert answer(embedded.ensure_running(home)) == (42,)


def test_a_server_that_does_not_start_gives_its_own_reason(home: Path) -> None:
    embedded.ensure_running(home)
    embedded.release(home)
    with (home / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(DatabaseError, match=r"postgresql.conf\" contains errors; its log is"):
        embedded.ensure_running(home)


def test_the_environment_of_the_user_does_not_reach_the_server(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "5999")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("LC_ALL", "xx_YY.UTF-8")
    socket_folder = embedded.ensure_running(home)
    assert (socket_folder / ".s.PGSQL.5432").exists()


def test_the_server_listens_on_no_port(home: Path) -> None:
    embedded.ensure_running(home)
    server = psutil.Process(postmaster(home))
    assert [one for one in server.net_connections("inet") if one.status == "LISTEN"] == []
