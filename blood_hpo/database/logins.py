"""Passwords for the group roles, so that each service logs in with no more rights than it needs."""

from collections.abc import Sequence

from psycopg2.extensions import encrypt_password
from sqlalchemy import URL, make_url

from blood_hpo.database.address import connected, server_address
from blood_hpo.database.migrate import ROLES
from blood_hpo.database.statements import statement
from blood_hpo.errors import InputError


def allow_logins(url: str, addresses: Sequence[str]) -> list[str]:
    """Let the `ROLES` log in with the passwords that stand in their own addresses; their names.

    The server is sent SCRAM verifiers made here, so that no password can end in its log. The URL is
    that of the user who migrated the database.

    Raises:
        InputError: An address is of another user or has no password.
        DatabaseError: The database cannot be reached or refuses.
    """
    logins = [_login(address) for address in addresses]
    with connected(url, "blood-hpo migrate") as engine, engine.begin() as connection:
        connection.execute(statement("migrate_lock"))
        driver = connection.connection.driver_connection
        for login in logins:
            verifier = encrypt_password(login.password, login.username, driver, "scram-sha-256")
            connection.exec_driver_sql(f"ALTER ROLE {login.username} LOGIN PASSWORD '{verifier}'")
    return [str(login.username) for login in logins]


def _login(address: str) -> URL:
    login = make_url(server_address(address, "an address given"))
    if login.username not in ROLES:
        raise InputError(
            f"the address of {login.username} was given; give those of {', '.join(ROLES)}"
        )
    if not login.password:
        raise InputError(f"the address of {login.username} has no password; put one into it")
    return login
