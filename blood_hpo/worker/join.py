"""How a worker comes to its study, also where the database is slower to start than the worker."""

from sqlalchemy.exc import DBAPIError

from blood_hpo.database.address import engine
from blood_hpo.database.failures import database_errors
from blood_hpo.database.migrate import check_schema
from blood_hpo.errors import DatabaseError
from blood_hpo.store.outage import Waiting, patiently, transient
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy, open_study

WORKER = "blood-hpo worker"
"""What its connections are called in ``pg_stat_activity``."""


def join_study(url: str, name: str, *, grace_seconds: float, wait: Waiting) -> SharedStudy:
    """Open a study to work on it, waiting for the database if it is away.

    Raises:
        DatabaseError: Waiting will not help: a wrong password, a missing database or schema.
        StudyError: There is no such study, or it was created by another version of the program.
        Interrupted: ``wait`` said so while the database was away.
    """
    found = patiently(lambda: _open(url, name, grace_seconds), "joining the study", wait)
    found.refuse_other_program()
    return found


def _open(url: str, name: str, grace_seconds: float) -> SharedStudy:
    try:
        with database_errors(url):
            _check(url)
            return _opened(StudyStorage(url, WORKER, grace_seconds=grace_seconds), name)
    except DatabaseError as error:
        outage = error.__cause__
        if isinstance(outage, DBAPIError) and transient(outage):
            raise outage from None
        raise


def _check(url: str) -> None:
    connected = engine(url, WORKER)
    try:
        check_schema(connected)
    finally:
        connected.dispose()


def _opened(storage: StudyStorage, name: str) -> SharedStudy:
    try:
        return open_study(storage, name)
    except Exception:
        storage.engine.dispose()  # the next try has a storage of its own
        raise
