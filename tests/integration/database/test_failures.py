"""Which failures of the database pass: asked of a real server, SQLSTATE by SQLSTATE."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from blood_hpo.database.address import engine
from blood_hpo.database.failures import is_outage

from .conftest import rows

OUTAGES = """
08000 08001 08003 08004 08006 08007 08P01 25006 25P02 25P03 25P04 40001 40003 40P01
53000 53100 53200 53300 53400 55000 55006 55P03 57000 57014 57P01 57P02 57P03 57P05
58000 58030 58P01 XX000
"""
OURS = """
0A000 20000 21000 22000 22003 22021 22P02 22P05 23502 23503 23505 23514 24000 25001 26000
27000 28000 28P01 2BP01 2D000 2F000 34000 38000 39000 3B000 3D000 3F000 42501 42601 42703
42883 42P01 42P07 44000 54000 57P04 P0001
"""


@pytest.fixture
def connected(server: Engine) -> Iterator[Engine]:
    """An engine with the program's options; no database of the test's own is needed."""
    found = engine(server.url.render_as_string(hide_password=False), "test")
    yield found
    found.dispose()


def raised(connected: Engine, code: str) -> DBAPIError:
    """The driver's error for a SQLSTATE, raised by the server."""
    with pytest.raises(DBAPIError) as caught:
        rows(connected, f"DO $$ BEGIN RAISE EXCEPTION SQLSTATE '{code}'; END $$")
    assert caught.value.orig is not None
    assert caught.value.orig.pgcode == code  # type: ignore[attr-defined]
    return caught.value


@pytest.mark.parametrize("code", OUTAGES.split())
def test_what_passes_is_an_outage(connected: Engine, code: str) -> None:
    assert is_outage(raised(connected, code))


@pytest.mark.parametrize("code", OURS.split())
def test_what_no_waiting_cures_is_ours(connected: Engine, code: str) -> None:
    assert not is_outage(raised(connected, code))


def login(url: str) -> DBAPIError:
    with pytest.raises(DBAPIError) as caught:
        engine(url).connect()
    return caught.value


@pytest.mark.parametrize(
    ("changed", "passes"),
    [
        ({"database": "elsewhere"}, False),
        ({"username": "nobody"}, False),
        ({"query": {"host": "/nowhere"}}, True),
        ({"host": "no-such-host.invalid", "query": {}}, True),
        ({"host": "127.0.0.1", "port": 1, "query": {}}, True),
        ({"query": {"sslmode": "x"}}, False),
        ({"query": {"no_such_option": "x"}}, False),
    ],
    ids=str,
)
def test_a_refused_login_has_words_alone(
    server: Engine, changed: dict[str, object], passes: bool
) -> None:
    url = make_url(server.url).set(**changed)  # type: ignore[arg-type]
    assert is_outage(login(url.render_as_string(hide_password=False))) == passes


def test_a_wrong_password_does_not_pass(guarded_url: str) -> None:
    wrong = make_url(guarded_url).set(password="s3cret!")
    assert not is_outage(login(wrong.render_as_string(hide_password=False)))


def test_a_full_server_passes(server: Engine) -> None:
    with server.connect() as connection:
        connection.execute(text("CREATE ROLE crowd LOGIN CONNECTION LIMIT 0"))
    refused = login(server.url.set(username="crowd").render_as_string())
    with server.connect() as connection:
        connection.execute(text("DROP ROLE crowd"))
    assert is_outage(refused)
