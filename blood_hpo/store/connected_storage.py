"""The database as workers use it: Optuna's storage, and statements and transactions beside it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from optuna.storages import RDBStorage
from sqlalchemy import Connection, ExceptionContext, Row, event
from sqlalchemy.exc import DBAPIError

from blood_hpo.database.address import engine_options
from blood_hpo.database.failures import is_outage
from blood_hpo.database.query import unknown_study
from blood_hpo.database.statements import statement


class ConnectedStorage(RDBStorage):
    """Optuna's storage on PostgreSQL, whose connections others may use."""

    def __init__(
        self,
        url: str,
        application_name: str = "blood-hpo",
        *,
        read_only: bool = False,
        grace_seconds: float = 30.0,
    ) -> None:
        """Connect to a database that has this program's schema; see `engine_options`.

        Silence in the middle of a transaction ends it after the grace time, so that a process that
        was stopped there does not hold up the others.
        """
        options = engine_options(
            application_name, read_only=read_only, silence_seconds=grace_seconds
        )
        # Who has just started does not know who could be heard before.
        self._unreachable_at = time.monotonic()
        self._answered_at, self._grace_seconds = time.time(), grace_seconds
        try:
            super().__init__(url, engine_kwargs=options, skip_table_creation=True)
        except Exception:
            self.engine.dispose()  # where connections are few, none may be left behind
            raise
        event.listen(self.engine, "handle_error", self._on_error)

    def _on_error(self, context: ExceptionContext) -> None:
        if context.is_pre_ping:
            return  # a connection that has died while it lay idle is replaced at once: no outage
        error = context.sqlalchemy_exception
        away = isinstance(error, DBAPIError) and is_outage(error)  # or it takes no writes
        if context.connection is None or context.is_disconnect or away:
            self._unreachable_at = time.monotonic()
        if context.connection is None:
            # Where the server has no connection left for anybody, idle ones must not keep it so.
            self.engine.dispose()

    @contextmanager
    def plain(self) -> Iterator[Connection]:
        """A connection on which each statement is a transaction, of one round trip."""
        with self.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.autocommit = True
            try:
                yield connection
            finally:
                # SQLAlchemy's own option stumbles over a connection that has died meanwhile.
                if driver.closed:
                    connection.invalidate()
                else:
                    driver.autocommit = False
        self._answered()

    def _answered(self) -> None:
        """After a long silence of its own, frozen or asleep, a process knows of nobody's either."""
        now = time.time()  # the other clock stands still while a machine sleeps
        if now - self._answered_at > self._grace_seconds / 2 + 1:  # idle workers ask more often
            self._unreachable_at = time.monotonic()
        self._answered_at = now

    def ask(self, name: str, /, **parameters: object) -> list[Row[Any]]:
        """The rows that a statement gives, by itself in its transaction."""
        with self.plain() as connection:
            return list(connection.execute(statement(name), parameters).all())

    def tell(self, name: str, /, **parameters: object) -> int:
        """How many rows a statement changes, by itself in its transaction."""
        with self.plain() as connection:
            return connection.execute(statement(name), parameters).rowcount

    def reachable_seconds(self) -> float:
        """How long the database has been there for this process, at most as long as it lives."""
        return time.monotonic() - self._unreachable_at

    def study_id(self, name: str) -> int:
        """Optuna's key of a study, or a StudyError where there is none."""
        try:
            return int(self.get_study_id_from_name(name))
        except KeyError:
            raise unknown_study(self.engine, name) from None
