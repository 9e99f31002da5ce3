"""How a worker comes to its studies, also where the database is slower to start than the worker."""

from sqlalchemy.exc import DBAPIError

from blood_hpo.database.address import connected
from blood_hpo.database.failures import database_errors
from blood_hpo.database.migrate import check_schema
from blood_hpo.errors import DatabaseError
from blood_hpo.store.outage import Waiting, patiently, transient
from blood_hpo.store.storage import StudyStorage
from blood_hpo.store.studies import SharedStudy, open_study

WORKER = "blood-hpo worker"
"""What its connections are called in ``pg_stat_activity``."""


def join(url: str, *, grace_seconds: float, wait: Waiting) -> StudyStorage:
    """The database as a worker uses it, once it is there.

    Raises:
        DatabaseError: Waiting will not help: a wrong password, a missing database or schema.
        Interrupted: ``wait`` said so while the database was away.
    """
    with database_errors(url):
        return patiently(lambda: _storage(url, grace_seconds), "joining the database", wait)


def join_study(url: str, name: str, *, grace_seconds: float, wait: Waiting) -> SharedStudy:
    """Open a study to work on it, waiting for the database if it is away.

    Raises:
        StudyError: There is no such study, or it was created by another version of the program.
        DatabaseError: As `join`.
        Interrupted: As `join`.
    """
    storage = join(url, grace_seconds=grace_seconds, wait=wait)
    with database_errors(url):
        found = patiently(lambda: open_study(storage, name), "joining the study", wait)
    found.refuse_other_program()
    return found


def _storage(url: str, grace_seconds: float) -> StudyStorage:
    try:
        with connected(url, WORKER) as engine:
            check_schema(engine)
    except DatabaseError as error:
        outage = error.__cause__
        if isinstance(outage, DBAPIError) and transient(outage):
            raise outage from None
        raise
    return StudyStorage(url, WORKER, grace_seconds=grace_seconds)
