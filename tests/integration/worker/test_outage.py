"""Waiting for a database that is away, and what is said of it."""

import logging

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from blood_hpo.database.address import engine
from blood_hpo.store.outage import Interrupted, OutageLog, patiently


class Tries:
    """Waits without waiting, and counts."""

    def __init__(self, most: int) -> None:
        self.seconds: list[float] = []
        self._most = most

    def wait(self, timeout: float, /) -> bool:
        self.seconds.append(timeout)
        return len(self.seconds) >= self._most


def test_a_read_only_window_is_waited_out(database_url: str, server: Engine) -> None:
    name = make_url(database_url).database
    connected = engine(database_url)

    def write() -> int:
        with connected.begin() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS written (n integer)"))
        return 1

    class Window(Tries):
        """The third wait outlasts the window."""

        def wait(self, timeout: float, /) -> bool:
            if len(self.seconds) == 2:
                set_read_only("off")
            return super().wait(timeout)

    def set_read_only(value: str) -> None:
        with server.connect() as connection:
            connection.execute(
                text(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
            )
        connected.dispose()

    set_read_only("on")
    window = Window(9)
    assert patiently(write, "writing", window.wait) == 1
    assert len(window.seconds) == 3
    connected.dispose()


def test_what_is_ours_is_raised_at_once(database_url: str) -> None:
    connected = engine(database_url)

    def wrong() -> None:
        with connected.begin() as connection:
            connection.execute(text("SELECT no_such_column"))

    tries = Tries(1)
    with pytest.raises(DBAPIError):
        patiently(wrong, "asking", tries.wait)
    assert tries.seconds == []
    connected.dispose()


def test_waits_double_up_to_a_quarter_of_a_minute() -> None:
    absent = engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    tries = Tries(8)
    with pytest.raises(Interrupted):
        patiently(lambda: absent.connect().close(), "asking", tries.wait)
    expected = [0.5, 1, 2, 4, 8, 15, 15, 15]
    for seconds, planned in zip(tries.seconds, expected, strict=True):
        assert 0.8 * planned <= seconds <= 1.2 * planned


def test_an_outage_is_said_once_then_every_half_minute_and_its_end_with_its_length(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 100.0
    outages = OutageLog(lambda: now)
    with caplog.at_level(logging.INFO):
        outages.back()
        for second in (100, 101, 129, 131, 150, 162):
            now = float(second)
            outages.away("asking", OSError("gone"))
        now = 170.0
        outages.back()
        outages.back()
    assert [record.getMessage() for record in caplog.records] == [
        "database away while asking (gone)",
        "database away for 31 s while asking (gone)",
        "database away for 62 s while asking (gone)",
        "database back after 70.0 s",
    ]
