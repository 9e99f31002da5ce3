"""Carrying on while the database is away: how long to wait in between, and what is said of it."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from blood_hpo.database import failures

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0
REMINDER_SECONDS = 30.0
ERRORS = (StorageInternalError, DBAPIError, PendingRollbackError, PoolTimeout)
"""What a database call may raise; `transient` tells the outages among them from defects."""
Waiting = Callable[[float], bool]
"""Waits for some seconds; True when there should be no further try, as of `threading.Event`."""


class Interrupted(Exception):  # noqa: N818 - a signal, not an error
    """The process was asked to stop while it waited for the database."""


def transient(error: BaseException) -> bool:
    """Whether the error is an outage of the database, and the same call may succeed later."""
    if isinstance(error, StorageInternalError):
        return error.__cause__ is not None and transient(error.__cause__)
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or failures.is_outage(error)
    # Optuna asks again on the connection that it has just lost, which is a pending rollback.
    return isinstance(error, PendingRollbackError | PoolTimeout)


class OutageLog:
    """Says an outage once, then every half minute, and when it is over how long it was."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with a database that answers; ``clock`` gives seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._began: float | None = None
        self._said = 0.0

    def away(self, doing: str, error: BaseException) -> None:
        """The database failed while ``doing`` was done."""
        now = self._clock()
        with self._lock:
            first = self._began is None
            if not first and now - self._said < REMINDER_SECONDS:
                return
            self._began, self._said = now if self._began is None else self._began, now
        still = "" if first else f" for {now - self._began:.0f} s"
        log.warning("database away%s while %s (%s)", still, doing, first_line(error))

    def back(self) -> None:
        """The database answered."""
        with self._lock:
            began, self._began = self._began, None
        if began is not None:
            log.info("database back after %.1f s", self._clock() - began)


OUTAGES = OutageLog()


def patiently(call: Callable[[], Answer], doing: str, wait: Waiting) -> Answer:
    """Call until the database answers, waiting twice as long after each failure, up to 15 s.

    The call is the whole transaction, run again from its start; what is being done is said in the
    log; ``wait`` waits between two tries, and ends them with an `Interrupted`.
    """
    seconds = FIRST_WAIT_SECONDS
    while True:
        try:
            answer = call()
        except ERRORS as error:
            if not transient(error):
                raise
            OUTAGES.away(doing, error)
        else:
            OUTAGES.back()
            return answer
        # Not all at the same moment: the server may have fewer connections than there are workers.
        if wait(seconds * random.uniform(0.8, 1.2)):  # noqa: S311 - not for secrets
            raise Interrupted(doing)
        seconds = min(2 * seconds, LONGEST_WAIT_SECONDS)


def unless_away(call: Callable[[], Answer], otherwise: Answer) -> Answer:
    """What a call gives, or something else where the database is away and nobody waits for it."""
    try:
        return call()
    except ERRORS as error:
        if not transient(error):
            raise
        return otherwise


def first_line(error: BaseException) -> str:
    """The database's own words, without SQL and parameters."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if isinstance(cause, DBAPIError):
        return failures.first_line(cause)
    return (str(cause or error).strip().splitlines() or [type(error).__name__])[0]
