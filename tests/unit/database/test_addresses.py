"""Which addresses are taken, and that a password shows only where it is asked for."""

import pytest

from blood_hpo.database.address import (
    database_url,
    engine_options,
    libpq_uri,
    masked,
    server_address,
)
from blood_hpo.errors import InputError
from blood_hpo.settings import Settings


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_the_driver_is_named(scheme: str) -> None:
    found = server_address(f"{scheme}://me:pa%2Fss@host:5433/study?sslmode=require")
    assert found == "postgresql+psycopg2://me:pa%2Fss@host:5433/study?sslmode=require"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me:s3cret@host/study", "begins with mysql://"),
        ("sqlite:///study.db", "begins with sqlite://"),
        ("postgresql+asyncpg://me:s3cret@host/study", r"begins with postgresql\+asyncpg://"),
        ("postgresql://me:s3cret@host", "names no database"),
        ("postgresql://me:s3cret@host:port/study", "cannot be read"),
        ("s3cret", "cannot be read"),
        ("postgresql://me:pa@s3cret@host/study", "percent-encode"),
        ("postgresql://me:pa@s3/cret@host/study", "percent-encode"),
        ("postgresql://me:pa@s3?cret@host/study", "percent-encode"),
        ("postgresql://me:s3cret@host:99999/study", "ports go from 1 to 65535"),
        ("postgresql://me:s3cret@host:0/study", "ports go from 1 to 65535"),
        ("postgresql+psycopg://me:s3cret@host/study", r"leave out \+psycopg"),
        ("postgresql://me@host/study?sslpassword=s3cret", "use a service file"),
    ],
)
def test_other_addresses_are_refused_in_one_line_without_the_password(url: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        server_address(url)
    assert "s3" not in str(caught.value)
    assert "cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_of_the_server_come_from_the_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=1 -c timezone=CET")
    options = engine_options("test")["connect_args"]["options"]
    assert options.startswith("-c statement_timeout=1 ")
    assert options.index("timezone=CET") < options.index("timezone=UTC")  # the later one holds
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@host/x?options=-c%20statement_timeout%3D1")
    with pytest.raises(InputError, match="has options, which we set; put yours into PGOPTIONS"):
        database_url(Settings())


def test_a_masked_address_has_no_password() -> None:
    shown = masked("postgresql+psycopg2://me:s3cret@host/study")
    assert shown == "postgresql+psycopg2://me:***@host/study"


def test_a_password_among_the_options_is_masked_like_any_other() -> None:
    found = server_address("postgresql://me@host/study?password=s3cret&sslmode=require")
    assert masked(found) == "postgresql+psycopg2://me:***@host/study?sslmode=require"
    assert "s3cret" not in libpq_uri(found)


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        (
            "postgresql+psycopg2://me:pa%2Fss@host:5433/study?sslmode=require",
            "postgresql://me:pa%2Fss@host:5433/study?sslmode=require",
        ),
        (
            "postgresql+psycopg2://postgres@/study?host=%2Ftwo+words&port=5432",
            "postgresql://postgres@/study?host=%2Ftwo%20words&port=5432",
        ),
        ("postgresql+psycopg2://[::1]/study", "postgresql://[::1]/study"),
    ],
)
def test_libpq_gets_an_address_that_it_can_read(url: str, uri: str) -> None:
    assert libpq_uri(url, password=True) == uri
    assert "pa%2Fss" not in libpq_uri(url)
