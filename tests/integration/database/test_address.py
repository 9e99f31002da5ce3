"""Addresses, and what is said when nobody answers there."""

import socket
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, make_url, text

from blood_hpo.database.address import database_url, engine, engine_options
from blood_hpo.database.failures import database_errors
from blood_hpo.errors import DatabaseError
from blood_hpo.settings import Settings

from .conftest import rows


def complaint(url: str) -> str:
    connected = engine(url)
    with pytest.raises(DatabaseError) as caught, database_errors(url):
        connected.connect()
    said = str(caught.value)
    assert "\n" not in said
    assert "s3cret" not in said
    return said


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound, so nobody else takes it; not listening
        yield reserved.getsockname()[1]


def test_a_refused_connection_says_what_to_start(closed_port: int) -> None:
    said = complaint(f"postgresql+psycopg2://me:s3cret@127.0.0.1:{closed_port}/blood_hpo")
    assert "Connection refused" in said
    assert said.endswith("start the server or correct host and port in DATABASE_URL")


def test_an_unknown_host_is_named() -> None:
    said = complaint("postgresql+psycopg2://me:s3cret@no-such-host.invalid/blood_hpo")
    assert 'could not translate host name "no-such-host.invalid"' in said
    assert said.endswith("correct the host in DATABASE_URL")


def test_an_unknown_database_is_named(server: Engine) -> None:
    said = complaint(server.url.set(database="elsewhere").render_as_string())
    assert 'database "elsewhere" does not exist' in said
    assert said.endswith("correct the end of DATABASE_URL or create it on the server")


def test_an_unknown_role_is_named(server: Engine) -> None:
    said = complaint(server.url.set(username="nobody").render_as_string())
    assert 'role "nobody" does not exist' in said
    assert said.endswith("correct the user in DATABASE_URL or create it on the server")


def test_a_wrong_password_is_not_repeated(guarded_url: str) -> None:
    wrong = make_url(guarded_url).set(password="s3cret!")
    said = complaint(wrong.render_as_string(hide_password=False))
    assert 'password authentication failed for user "guarded"' in said
    assert said.endswith("correct the user or the password in DATABASE_URL")


def test_the_right_password_opens(guarded_url: str) -> None:
    connected = engine(guarded_url)
    assert rows(connected, "SELECT current_user AS me") == [{"me": "guarded"}]
    connected.dispose()


def test_sessions_are_in_utc_and_carry_a_name(
    database_url: str, connected: Engine, server: Engine
) -> None:
    with server.connect() as owner:
        name = make_url(database_url).database
        owner.execute(text(f"ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'"))
    assert rows(connected, "SHOW timezone") == [{"TimeZone": "UTC"}]
    found = rows(
        connected,
        "SELECT count(*) AS own FROM pg_stat_activity WHERE application_name = 'test'"
        " AND datname = :name",
        name=make_url(database_url).database,
    )
    assert found == [{"own": 1}]


def test_a_read_only_engine_changes_nothing(database_url: str) -> None:
    connected = create_engine(database_url, **engine_options("test", read_only=True))
    with pytest.raises(DatabaseError, match="read-only transaction"), database_errors(database_url):
        rows(connected, "CREATE TABLE mine (a integer)")
    connected.dispose()


def test_a_server_is_used_as_it_is_given(server: Engine) -> None:
    given = server.url.set(drivername="postgres").render_as_string()
    found = database_url(Settings(DATABASE_URL=SecretStr(given)))
    connected = engine(found)
    assert rows(connected, "SELECT 1 AS one") == [{"one": 1}]
    connected.dispose()


def test_a_lost_connection_is_replaced(connected: Engine, server: Engine) -> None:
    (before,) = rows(connected, "SELECT pg_backend_pid() AS pid")
    with server.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), before)
    (after,) = rows(connected, "SELECT pg_backend_pid() AS pid")
    assert after != before
