"""What goes wrong between the program and its database, said in one line."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from blood_hpo.errors import DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.exc import DBAPIError

_LASTING: Final = (
    ("password authentication failed", "correct the user or the password in DATABASE_URL"),
    ("no password supplied", "put the password into DATABASE_URL"),
    ("no pg_hba.conf entry", "let the server's pg_hba.conf allow this user from this machine"),
    ("does not exist", "correct DATABASE_URL, create it, or run: blood-hpo db migrate"),
    ("permission denied", "use a role that may do this"),
    ("must be owner", "use the role that migrated first"),
    ("depend on them", "drop those, run blood-hpo db migrate, and create them again"),
    ("certificate", "correct the ssl options in DATABASE_URL"),
    ("server does not support SSL", "correct the ssl options in DATABASE_URL"),
)
_PASSING: Final = (
    ("could not translate host name", "correct the host in DATABASE_URL"),
    ("Connection refused", "start the server or correct host and port in DATABASE_URL"),
    ("No such file or directory", "start the server: blood-hpo db start"),
    ("timeout expired", "see that the server can be reached from this machine"),
    ("starting up", "wait a moment and try again"),
    ("shutting down", "wait a moment and try again"),
    ("too many clients", "stop some workers or raise max_connections"),
    ("remaining connection slots", "stop some workers or raise max_connections"),
    ("lock timeout", "wait until the other migration ends and try again"),
    ("statement timeout", "ask for less, or with a longer statement_timeout"),
)


@contextlib.contextmanager
def database_errors(url: "str | URL") -> Iterator[None]:
    """Turn the driver's errors into one line that says what to do; it never holds the password.

    Args:
        url: The address that the block talks to.

    Raises:
        DatabaseError: Something inside the block failed in the database.
    """
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise DatabaseError(explain(error, url)) from error


def explain(error: "DBAPIError", url: "str | URL") -> str:
    """One line: which database, what it said, what to do next."""
    from sqlalchemy import make_url

    address = make_url(url)
    host = address.host or address.query.get("host", "this machine")
    said = first_line(error)
    advice = next((advice for mark, advice in (*_LASTING, *_PASSING) if mark in said), None)
    return f"database {address.database} on {host}: {said}; {advice or 'see the server log'}"


def is_lasting(error: "DBAPIError") -> bool:
    """Whether waiting will not cure it: a wrong password, a database that does not exist."""
    said = first_line(error)
    return any(mark in said for mark, _ in _LASTING)


def first_line(error: "DBAPIError") -> str:
    """What the server or the driver said, without the address that the driver puts in front."""
    lines = str(error.orig).strip().splitlines() or ["it said nothing"]
    line = next((line for line in lines if "FATAL:" in line), lines[0])
    said = line.rsplit("FATAL:", maxsplit=1)[-1].strip().removesuffix(".")
    detail = next((line for line in lines if line.startswith("DETAIL:")), "")
    return said + (f" ({detail.removeprefix('DETAIL:').strip()})" if detail else "")
