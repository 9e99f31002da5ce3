"""Carrying on while the database is away: what is transient, and how long to wait in between."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0
ERRORS = (StorageInternalError, DBAPIError, PoolTimeout)
"""What a database call may raise; `transient` tells the outages among them from defects."""


class Interrupted(Exception):  # noqa: N818 - a signal, not an error
    """The process was asked to stop while it waited for the database."""


def transient(error: BaseException) -> bool:
    """Whether the error is the database's absence, and the same call may succeed later."""
    if isinstance(error, StorageInternalError):
        return error.__cause__ is not None and transient(error.__cause__)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout)


def patiently(call: Callable[[], Answer], doing: str, stop: threading.Event) -> Answer:
    """Call until the database answers, waiting twice as long after each failure, up to 15 s.

    Args:
        call: The whole transaction; it is run again from its start.
        doing: What is being done, for the one log line of each failed try.
        stop: Ends the waiting.

    Raises:
        Interrupted: ``stop`` was set while the database was away.
    """
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            return call()
        except ERRORS as error:
            if not transient(error):
                raise
            log.warning(
                "database away while %s (%s); next try in %.1f s", doing, first_line(error), wait
            )
        if stop.wait(wait):
            raise Interrupted(doing)
        wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def first_line(error: BaseException) -> str:
    """The database's own words, without SQL and parameters."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    original = getattr(cause, "orig", None) or cause or error
    return (str(original).strip().splitlines() or [type(original).__name__])[0]
