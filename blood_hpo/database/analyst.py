"""Statements of people's own, run with as few rights as the server can give.

On the embedded server the session is the analyst's own, and nothing in a statement can make it
anybody else's. Elsewhere the rights are those of ``DATABASE_URL``; where it may, the session takes
the analyst's role, which keeps mistakes out but not somebody who has that URL anyway. In any case
the transaction is read-only, one statement runs for at most 30 seconds, and it is one statement.
"""

import re
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError

from blood_hpo.database.address import connected, database_url
from blood_hpo.database.failures import first_line
from blood_hpo.database.query import Result
from blood_hpo.errors import BloodHpoError, DatabaseError, InputError
from blood_hpo.settings import Settings

ROLE: Final = "blood_hpo_analyst"
SECONDS: Final = 30
_OPEN: Final = """
    DO $$
    DECLARE
        answer refcursor := 'answer';
    BEGIN
        OPEN answer NO SCROLL FOR EXECUTE current_setting('blood_hpo.statement');
    END
    $$
"""
"""A cursor takes one statement that gives rows, and nothing that hides a second one behind it."""
_WRONG: Final = ("22", "42", "0A", "34", "25006", "55000")
"""How the SQLSTATEs of a wrong statement begin; rights that are refused, 42501, are none."""


def analyst_url(settings: Settings) -> str:
    """The address of the database for somebody who only reads; errors as of `database_url`."""
    url = database_url(settings)
    if settings.server_url() is not None:
        return url
    with connected(url, "blood-hpo query") as engine, engine.begin() as connection:
        found = text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role")
        if not connection.scalar(found, {"role": ROLE}):
            # Without a password: only the account of the server reaches its socket.
            connection.exec_driver_sql(f"ALTER ROLE {ROLE} LOGIN")
    return make_url(url).set(username=ROLE).render_as_string(hide_password=False)


def ask(url: str, statement: str, parameters: Mapping[str, object] | None = None) -> Result:
    """Run one statement that reads (SELECT, VALUES, WITH, SHOW or EXPLAIN), and take its rows.

    The parameters are a value for each ``:name`` in it; without any, a colon means nothing.

    Raises:
        InputError: The statement is wrong, is more than one, or would change something.
        DatabaseError: The database cannot be reached, refuses, or the time is up.
    """
    # NUL, and half of a surrogate pair, no database takes.
    if not statement.strip(" ;\n") or re.search("[\0\ud800-\udfff]", statement):
        raise InputError(
            "the statement is empty, or no text; write one that reads, such as select 1"
        )
    opened = connected(url, "blood-hpo query", read_only=True)
    with opened as engine, engine.connect() as connection:
        _limit(connection)
        try:
            return _fetch(connection, _bound(connection, statement, parameters or {}))
        except DBAPIError as error:
            raise _refusal(error) or error from error


def _limit(connection: Connection) -> None:
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{SECONDS}s'")
    connection.exec_driver_sql("SET LOCAL search_path = hpo")
    may = text("SELECT pg_has_role(oid, 'SET') FROM pg_roles WHERE rolname = :role")
    if connection.scalar(may, {"role": ROLE}):
        connection.exec_driver_sql(f"SET LOCAL ROLE {ROLE}")


def _bound(connection: Connection, statement: str, parameters: Mapping[str, object]) -> str:
    """The statement with its parameters as literals, which the driver spells; or an InputError."""
    if not parameters:
        return statement
    asked = text(statement).compile(dialect=connection.dialect)
    if set(asked.params) != set(parameters):
        wanted = ", ".join(sorted(asked.params)) or "no parameters"
        raise InputError(f"the statement takes {wanted}; give a value for each and no other")
    cursor = connection.connection.cursor()
    return bytes(cursor.mogrify(str(asked), dict(parameters))).decode()


def _fetch(connection: Connection, statement: str) -> Result:
    given = {"given": statement.strip().rstrip(";")}
    connection.execute(text("SELECT set_config('blood_hpo.statement', :given, true)"), given)
    connection.exec_driver_sql(_OPEN)
    found = connection.exec_driver_sql("FETCH ALL FROM answer")
    columns = tuple(found.keys())
    if len(set(columns)) < max(len(columns), 1):
        raise InputError("the answer needs columns, each with a name of its own; use AS")
    try:
        return Result(columns, [tuple(row) for row in found])
    except ValueError as error:
        raise InputError(
            f"the answer holds what Python has not ({error}); cast it to text"
        ) from error


def _refusal(error: DBAPIError) -> BloodHpoError | None:
    """What is wrong with the statement; None where the database or the rights are to blame."""
    code = str(getattr(error.orig, "pgcode", None) or "")
    if code == "57014":
        return DatabaseError(
            f"the statement was ended after {SECONDS} s; ask for less, or without that limit in"
            " `blood-hpo db psql`"
        )
    if "multi-query" in first_line(error):
        return InputError("give one statement that reads, such as select 1; this is none, or more")
    if code != "42501" and code.startswith(_WRONG):
        unknown = code in {"42P01", "42703"}  # a table, a column
        how = "docs/sql-reference.md names what there is" if unknown else "correct the statement"
        return InputError(f"{first_line(error)}; {how}")
    return None
