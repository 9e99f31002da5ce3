"""How a worker comes to its studies, also where the database is slower to start than the worker."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from blood_hpo.database.address import engine
from blood_hpo.database.failures import database_errors
from blood_hpo.database.migrate import check_schema
from blood_hpo.errors import DatabaseError
from blood_hpo.store.outage import Waiting, patiently, transient
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy, open_study

Answer = TypeVar("Answer")

WORKER = "blood-hpo worker"
"""What its connections are called in ``pg_stat_activity``."""


def join(url: str, *, grace_seconds: float, wait: Waiting) -> StudyStorage:
    """The database as a worker uses it, once it is there.

    Raises:
        DatabaseError: Waiting will not help: a wrong password, a missing database or schema.
        Interrupted: ``wait`` said so while the database was away.
    """
    return _told(url, lambda: _storage(url, grace_seconds), "joining the database", wait)


def join_study(url: str, name: str, *, grace_seconds: float, wait: Waiting) -> SharedStudy:
    """Open a study to work on it, waiting for the database if it is away.

    Raises:
        DatabaseError: Waiting will not help: a wrong password, a missing database or schema.
        StudyError: There is no such study, or it was created by another version of the program.
        Interrupted: ``wait`` said so while the database was away.
    """
    storage = join(url, grace_seconds=grace_seconds, wait=wait)
    found = _told(url, lambda: open_study(storage, name), "joining the study", wait)
    found.refuse_other_program()
    return found


def _told(url: str, call: Callable[[], Answer], doing: str, wait: Waiting) -> Answer:
    """As `patiently`; what waiting does not cure is one line."""
    with database_errors(url):
        return patiently(call, doing, wait)


def _storage(url: str, grace_seconds: float) -> StudyStorage:
    try:
        _check(url)
    except DatabaseError as error:
        outage = error.__cause__
        if isinstance(outage, DBAPIError) and transient(outage):
            raise outage from None
        raise
    return StudyStorage(url, WORKER, grace_seconds=grace_seconds)


def _check(url: str) -> None:
    connected = engine(url, WORKER)
    try:
        check_schema(connected)
    finally:
        connected.dispose()
