"""What goes wrong between the program and its database: whether it passes, said in one line.

A failure is an outage, which waiting cures, unless it is known to be ours.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from blood_hpo.errors import DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.exc import DBAPIError

OURS: Final = (
    *("0A", "20", "21", "22", "23", "24", "25001", "26", "27", "28", "2B", "2D", "2F"),
    *("34", "38", "39", "3B", "3D", "3F", "42", "44", "54", "57P04", "P0"),
)
"""SQLSTATEs, or how they begin, that no waiting cures: wrong data, statements, rights, logins.

All others are an outage: a server that starts, stops or fails over (08, 57P, 55000), takes no
writes now (25006), has no room left (53, 58), or wants the transaction again (40, 55P03, 57014).

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

_LASTING: Final = (
    ("authentication failed", "correct the user or the password in DATABASE_URL"),
    ("no password supplied", "put the password into DATABASE_URL"),
    ("pg_hba.conf", "let the server's pg_hba.conf allow this user from this machine"),
    ('role ".*" does not exist', "correct the user in DATABASE_URL or create it on the server"),
    ("not permitted to log in", "let it: ALTER ROLE ... LOGIN, or blood-hpo db logins"),
    ('database ".*" does not exist', "correct the end of DATABASE_URL or create it on the server"),
    ("certificate|support SSL", "correct the ssl options in DATABASE_URL"),
    ("^invalid .*(option|value|port)", "correct the options in DATABASE_URL"),
    ("does not exist", "run: blood-hpo db migrate"),
    ("permission denied", "use a role that may do this"),
    ("must be owner", "use the role that migrated first"),
    ("depend on them", "drop those, run blood-hpo db migrate, and create them again"),
)
_PASSING: Final = (
    ("could not translate host name", "correct the host in DATABASE_URL"),
    ("Connection refused", "start the server or correct host and port in DATABASE_URL"),
    ("No such file or directory", "start the server: blood-hpo db start"),
    ("timeout expired", "see that the server can be reached from this machine"),
    ("starting up|shutting down", "wait a moment and try again"),
    ("read-only transaction", "wait until it takes writes, or name the primary in DATABASE_URL"),
    ("too many|connection slots", "stop some workers or raise max_connections"),
    ("lock timeout", "wait until the other migration ends and try again"),
    ("statement timeout", "ask for less, or with a longer statement_timeout"),
)
"""What servers and libpq say, as regular expressions, and what to do next."""


@contextlib.contextmanager
def database_errors(url: "str | URL") -> Iterator[None]:
    """Make the driver's errors at this address a DatabaseError, which never holds the password."""
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
    known = (*_LASTING, *_PASSING)
    advice = next((advice for pattern, advice in known if re.search(pattern, said)), None)
    return f"database {address.database} on {host}: {said}; {advice or 'see the server log'}"


def is_outage(error: "DBAPIError") -> bool:
    """Whether the same call may succeed later, because the failure is not known to be ours.

    A refused login comes without a SQLSTATE: then the server's words tell.
    """
    from sqlalchemy.exc import DataError, NotSupportedError, ProgrammingError

    code = getattr(error.orig, "pgcode", None)
    if code:
        return not code.startswith(OURS)
    if isinstance(error, ProgrammingError | DataError | NotSupportedError):
        return False  # the driver's own, before anything was sent
    said = first_line(error)
    return not any(re.search(pattern, said) for pattern, _ in _LASTING)


def first_line(error: "DBAPIError") -> str:
    """What the server or the driver said, without the address that the driver puts in front."""
    lines = str(error.orig).strip().splitlines() or ["it said nothing"]
    line = next((line for line in lines if "FATAL:" in line), lines[0])
    said = line.rsplit("FATAL:", maxsplit=1)[-1].strip().removesuffix(".")
    detail = next((line for line in lines if line.startswith("DETAIL:")), "")
    return said + (f" ({detail.removeprefix('DETAIL:').strip()})" if detail else "")
