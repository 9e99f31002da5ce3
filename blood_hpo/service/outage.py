"""Carrying on while the database is away: what is transient, and how long to wait in between."""

import logging
import random
from collections.abc import Callable
from typing import Protocol, TypeVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0
ERRORS = (StorageInternalError, DBAPIError, PendingRollbackError, PoolTimeout)
"""What a database call may raise; `transient` tells the outages among them from defects."""


class Waiting(Protocol):
    """How to wait, and when to stop; a `threading.Event` is one."""

    def wait(self, timeout: float, /) -> bool:
        """Wait for some seconds; True when there should be no further try."""


class Interrupted(Exception):  # noqa: N818 - a signal, not an error
    """The process was asked to stop while it waited for the database."""


def transient(error: BaseException) -> bool:
    """Whether the error is the database's absence, and the same call may succeed later."""
    if isinstance(error, StorageInternalError):
        return error.__cause__ is not None and transient(error.__cause__)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # Optuna asks again on the connection that it has just lost, which is a pending rollback.
    return isinstance(error, OperationalError | InterfaceError | PendingRollbackError | PoolTimeout)


def patiently(call: Callable[[], Answer], doing: str, wait: Waiting) -> Answer:
    """Call until the database answers, waiting twice as long after each failure, up to 15 s.

    Args:
        call: The whole transaction; it is run again from its start.
        doing: What is being done, for the one log line of each failed try.
        wait: Waits between two tries and ends them.

    Raises:
        Interrupted: ``wait`` said so while the database was away.
    """
    seconds = FIRST_WAIT_SECONDS
    while True:
        try:
            return call()
        except ERRORS as error:
            if not transient(error):
                raise
            log.warning(
                "database away while %s (%s); next try in %.1f s",
                doing,
                first_line(error),
                seconds,
            )
        # Not all at the same moment: the server may have fewer connections than there are workers.
        if wait.wait(seconds * random.uniform(0.8, 1.2)):  # noqa: S311 - not for secrets
            raise Interrupted(doing)
        seconds = min(2 * seconds, LONGEST_WAIT_SECONDS)


def first_line(error: BaseException) -> str:
    """The database's own words, without SQL and parameters."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    original = getattr(cause, "orig", None) or cause or error
    return (str(original).strip().splitlines() or [type(original).__name__])[0]
