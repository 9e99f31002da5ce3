"""Where the database is and how to connect so that a cut link is noticed in seconds.

An address is a SQLAlchemy URL with its password, as text: what Optuna's storage takes. Print it
with :func:`masked` only.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote, urlencode

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from blood_hpo.database.failures import database_errors
from blood_hpo.errors import InputError
from blood_hpo.server import embedded
from blood_hpo.server.cluster import SUPERUSER
from blood_hpo.settings import Settings

_DRIVER: Final = "postgresql+psycopg2"
_SCHEMES: Final = ("postgres", "postgresql", _DRIVER)


def database_url(settings: Settings, *, create: bool = False) -> str:
    """The address of the database; the embedded server is started where no other is set.

    With ``create`` an embedded database is made where there is none: who only reads makes nothing.

    Raises:
        InputError: ``DATABASE_URL`` is not the address of a PostgreSQL database.
        DatabaseError: There is no embedded database, or its server does not start.
    """
    given = settings.server_url()
    if given is None:
        if not create:
            embedded.require(settings.home)
        return embedded_url(settings)
    address = server_address(given.get_secret_value())
    if "options" in make_url(address).query:
        raise InputError("DATABASE_URL has options, which we set; put yours into PGOPTIONS")
    return address


def embedded_url(settings: Settings, database: str = embedded.DATABASE) -> str:
    """The address of a database on the embedded server, which is started if need be."""
    query = {"host": str(embedded.ensure_running(settings.home)), "port": "5432"}
    made = URL.create(_DRIVER, username=SUPERUSER, database=database, query=query)
    return made.render_as_string()


def server_address(url: str, named: str = "DATABASE_URL") -> str:
    """Check an address and name the driver in it; an InputError unless it is PostgreSQL's."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise _unreadable(named) from error
    if url.count("@") > 1 + (parsed.username or "").count("@"):
        raise _unreadable(named)  # the tail of a password would be taken for a host, and printed
    if parsed.drivername not in _SCHEMES:
        driver = parsed.drivername.partition("+")
        advice = f"leave out +{driver[2]}" if driver[0] in _SCHEMES else "only PostgreSQL will do"
        raise InputError(
            f"{named} begins with {parsed.drivername}://; {advice}: begin with postgresql://"
        )
    if not parsed.database:
        raise InputError(f"{named} names no database; end it with /blood_hpo, for example")
    if parsed.port is not None and not 0 < parsed.port < 2**16:
        raise InputError(f"{named} names port {parsed.port}; ports go from 1 to 65535")
    if "sslpassword" in parsed.query:
        raise InputError(f"{named} has sslpassword, which would be printed; use a service file")
    # Among the options a password would not be masked.
    given = parsed.query.get("password")
    password = parsed.password if given is None else str(given)
    ours = parsed.difference_update_query(["password"]).set(drivername=_DRIVER, password=password)
    return ours.render_as_string(hide_password=False)


def _unreadable(named: str) -> InputError:
    return InputError(
        f"{named} cannot be read; write postgresql://user:password@host:5432/database "
        "and percent-encode special characters of the password, such as %40 for @"
    )


def masked(url: str) -> str:
    """The address with *** in place of its password."""
    return make_url(url).render_as_string()


def libpq_uri(url: str, *, password: bool = False) -> str:
    """The address as psql, DuckDB and other programs on libpq read it, by default without password.

    SQLAlchemy names the driver in the scheme, writes a space among the options as a plus sign, and
    elsewhere leaves it as it is: libpq wants none of that.
    """
    known = make_url(url)
    secret = known.password if password else None
    place = (known.host, known.port, known.database)
    plain = URL.create("postgresql", known.username, secret, *place)
    query = urlencode(known.query, doseq=True, quote_via=quote)
    said = plain.render_as_string(hide_password=False).replace(" ", "%20")
    return said + (query and f"?{query}")


def engine_options(
    application_name: str, *, read_only: bool = False, silence_seconds: float = 60.0
) -> dict[str, Any]:
    """Keyword arguments of ``sqlalchemy.create_engine`` for every connection of the program.

    A lost server is noticed within about six seconds, also in the middle of a query, and a lost
    client within two minutes; its locks are freed sooner. Timestamps are UTC, because Optuna stores
    them without a zone.

    Args:
        application_name: Who asks, as it stands in ``pg_stat_activity``.
        read_only: Whether the server refuses every change.
        silence_seconds: Silence in the middle of a transaction after which the server ends it.
    """
    server: dict[str, object] = {
        "timezone": "UTC",
        # Each statement sees what was committed before it, whatever the database's own default is.
        "default_transaction_isolation": r"read\ committed",
        "idle_in_transaction_session_timeout": round(silence_seconds * 1000),
        "tcp_keepalives_idle": 60,
        "tcp_keepalives_interval": 15,
        "tcp_keepalives_count": 4,
        "join_collapse_limit": 20,  # views of views in their best order, not in that of the text
    }
    if read_only:
        server["default_transaction_read_only"] = "on"
    ours = " ".join(f"-c {name}={value}" for name, value in server.items())
    return {
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": 20,  # over a slow link; a dead one fails by tcp_user_timeout
            "keepalives": 1,
            "keepalives_idle": 3,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "tcp_user_timeout": 6000,
            "application_name": application_name,
            "options": f"{os.environ.get('PGOPTIONS', '')} {ours}",  # the later ones hold
        },
    }


def engine(url: str, application_name: str = "blood-hpo", *, read_only: bool = False) -> Engine:
    """An engine with the program's time-outs; it connects when it is first used."""
    return create_engine(url, **engine_options(application_name, read_only=read_only))


@contextmanager
def connected(
    url: str, application_name: str = "blood-hpo", *, read_only: bool = False
) -> Iterator[Engine]:
    """An engine whose connections end with the block; within, errors as of `database_errors`."""
    found = engine(url, application_name, read_only=read_only)
    try:
        with database_errors(url):
            yield found
    finally:
        found.dispose()
