"""A real PostgreSQL for every test: one embedded server a session, one fresh database a test."""

import contextlib
import itertools
import runpy
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from blood_hpo.database.address import embedded_url
from blood_hpo.database.migrate import migrate
from blood_hpo.server import embedded
from blood_hpo.settings import Settings, settings

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[Engine]:
    """The embedded server, as its superuser."""
    # Not in pytest's own folder, which every other run of pytest closes to the server's account.
    home = Path(tempfile.mkdtemp(prefix="blood-hpo-test-"))
    url = embedded_url(Settings(home=home), "postgres")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # nothing is to be kept
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    yield engine
    engine.dispose()
    embedded.release(home)
    shutil.rmtree(home)


def fill_synthetic(url: str, trials: int, name: str) -> None:
    """Write a SYNTHETIC study, with all that a finished one leaves, into a migrated database."""
    benchmark = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks/synthetic_study.py"))
    benchmark["fill"](url, trials=trials, seed=0, name=name)


@contextlib.contextmanager
def copy_of(template: str, server: Engine) -> Iterator[str]:
    """A database that is a copy of another, as long as it is needed."""
    name = f"test_{next(NUMBERS)}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        yield server.url.set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def migrated(server: Engine) -> Iterator[str]:
    """Name of a database with the whole schema and no study, to be copied."""
    with copy_of("template0", server) as url:
        migrate(url)
        yield make_url(url).database or ""


@pytest.fixture
def empty_database_url(server: Engine) -> Iterator[str]:
    """The address of a database without any table."""
    with copy_of("template0", server) as url:
        yield url


@pytest.fixture
def database_url(server: Engine, migrated: str) -> Iterator[str]:
    """The address of a database with the whole schema and no study."""
    with copy_of(migrated, server) as url:
        yield url


@pytest.fixture
def named_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of `database_url`, which the environment names as long as it is there."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()
    yield database_url
    settings.cache_clear()
