"""A PostgreSQL server of our own that can be stopped, crashed and interrupted."""

import contextlib
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812  a class
from psycopg2.extras import RealDictCursor
from sqlalchemy import URL

from blood_hpo.server.cluster import SUPERUSER, Cluster

from ..waiting import until


class Server:
    """A server on a temporary folder, or on one that is given."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or Path(tempfile.mkdtemp(prefix="blood-hpo-faults-"))
        self.home.mkdir(exist_ok=True)
        self.cluster = Cluster(self.home / "postgres")
        self.cluster.initialise()
        self.cluster.start()
        # Processes are killed here, not machines: what the kernel has taken is not lost.
        self.rows("postgres", "ALTER SYSTEM SET fsync = off")
        self.rows("postgres", "SELECT pg_reload_conf()")
        self._numbers = itertools.count()

    def close(self) -> None:
        self.cluster.stop()
        shutil.rmtree(self.home)

    def url(self, database: str, user: str = SUPERUSER) -> str:
        """The address of a database, as SQLAlchemy reads it."""
        query = {"host": str(self.cluster.socket_folder), "port": "5432"}
        return URL.create(
            "postgresql+psycopg2", username=user, database=database, query=query
        ).render_as_string()

    def connect(self, database: str) -> Connection:
        found = psycopg2.connect(
            host=str(self.cluster.socket_folder), user=SUPERUSER, dbname=database
        )
        found.autocommit = True
        return found

    def rows(self, database: str, statement: str, *values: object) -> list[dict[str, Any]]:
        """Ask the database over a connection of its own."""
        with (
            contextlib.closing(self.connect(database)) as connection,
            connection.cursor(cursor_factory=RealDictCursor) as cursor,
        ):
            cursor.execute(statement, values or None)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []

    def create(self) -> str:
        """An empty database."""
        name = f"faults_{next(self._numbers)}"
        self.rows("postgres", f"CREATE DATABASE {name}")
        return name

    @contextlib.contextmanager
    def holding(self, database: str, statement: str, *values: object) -> Iterator[None]:
        """Hold what a statement locks, until the block or the server ends."""
        connection = self.connect(database)
        connection.autocommit = False
        connection.cursor().execute(statement, values)
        yield
        with contextlib.suppress(psycopg2.Error):
            connection.rollback()
        connection.close()

    def wait_for_lock(self, database: str, doing: str) -> None:
        """Wait until a worker waits for a lock, in a statement of which this is a part."""
        waiting = (
            "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
            " AND query ILIKE %s"
        )
        until(
            lambda: self.rows("postgres", waiting, database, f"%{doing}%"),
            f"somebody waits for a lock in {doing}",
        )

    def terminate(self, database: str) -> int:
        """End every worker's connection; how many there were."""
        ended = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_backend_pid()"
        )
        return len(self.rows("postgres", ended, database))

    def start(self) -> None:
        self.cluster.start()

    def stop(self, mode: str = "fast") -> None:
        """Shut down, or with ``immediate`` crash: connections are cut and the log is replayed."""
        if mode == "fast":
            self.cluster.stop()
            return
        pid = int((self.cluster.folder / "postmaster.pid").read_text().split(maxsplit=1)[0])
        os.kill(pid, signal.SIGQUIT)
        until(lambda: not self.cluster.is_running(), "the server is gone")

    def restart(self, mode: str) -> None:
        self.stop(mode)
        self.start()
