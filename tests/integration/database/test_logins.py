"""Roles log in with the passwords of their addresses, which the server never sees."""

import pytest
from sqlalchemy import text

from blood_hpo.database.address import engine
from blood_hpo.database.logins import allow_logins
from blood_hpo.errors import InputError

ADDRESS = "postgresql://blood_hpo_worker:{}@db:5432/blood_hpo"


def stored(database_url: str) -> tuple[bool, str]:
    """Whether the worker's role may log in, and what the server keeps of its password."""
    connected = engine(database_url)
    with connected.connect() as connection:
        row = connection.execute(
            text(
                "SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = 'blood_hpo_worker'"
            )
        ).one()
    connected.dispose()
    return row.rolcanlogin, row.rolpassword


def test_a_role_gets_a_login_and_a_verifier(database_url: str) -> None:
    assert allow_logins(database_url, [ADDRESS.format("s3cret%2Fword")]) == ["blood_hpo_worker"]
    may, verifier = stored(database_url)
    assert may
    assert verifier.startswith("SCRAM-SHA-256$")
    assert "s3cret" not in verifier


def test_another_password_replaces_it(database_url: str) -> None:
    allow_logins(database_url, [ADDRESS.format("first")])
    before = stored(database_url)
    allow_logins(database_url, [ADDRESS.format("second")])
    assert stored(database_url) != before


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://postgres:x@db/blood_hpo", "the address of postgres was given; give those"),
        ("postgresql://blood_hpo_worker@db/blood_hpo", "has no password; put one into it"),
    ],
)
def test_an_address_of_no_use_is_refused(database_url: str, address: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        allow_logins(database_url, [address])
