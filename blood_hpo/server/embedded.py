"""The embedded server: started by the first process that needs it, stopped by the last.

Each process that uses it holds a shared lock on ``postgres.users``, which the kernel releases
however it ends; whoever leaves and can then lock the file for itself was the last and stops the
server. A second lock, ``postgres.turn``, lets one process at a time start or stop. The marker
``postgres.pinned``, of ``blood-hpo db start``, has the server stay until ``blood-hpo db stop``,
whose own, ``postgres.stopped``, tells those who still use it that it has not died.
"""

import atexit
import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from blood_hpo.errors import BloodHpoError, DatabaseError
from blood_hpo.server.cluster import MAX_CONNECTIONS, PATIENCE, SUPERUSER, Cluster

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812  a class

DATABASE: Final = "blood_hpo"
MOST_WORKERS: Final = (MAX_CONNECTIONS - 10) // 2
"""Each has a connection for its trial and one for its heartbeat; ten are for who looks on."""
_TURN_SECONDS: Final = 120.0
_held: dict[Path, IO[bytes]] = {}


def ensure_running(home: Path) -> Path:
    """Start the server of this home if it is not running and use it until this process ends.

    The data folder is ``home/postgres``, and has the database ``blood_hpo``. What comes back is the
    folder of the server's socket; where there can be none, a DatabaseError.
    """
    cluster = _cluster(home)
    with _turn(cluster):
        cluster.initialise()
        if not _accepts_connections(cluster):
            _marker(cluster, "stopped").unlink(missing_ok=True)
            if not cluster.is_running():
                cluster.start()
            deadline = time.monotonic() + PATIENCE
            while problem := _create_database(cluster):  # it recovers from a crash, say
                if time.monotonic() > deadline or not cluster.is_running():
                    raise DatabaseError(
                        f"the embedded PostgreSQL of {cluster.folder} runs but cannot be used"
                        f" ({problem}); wait and try again"
                    )
                time.sleep(0.1)
        _hold(cluster, home.absolute())
    return cluster.socket_folder


def exists(home: Path) -> bool:
    """Whether this home has a database."""
    return _cluster(home).folder.exists()


def require(home: Path) -> None:
    """Raise a `DatabaseError` where this home has no database."""
    if not exists(home):
        raise DatabaseError(
            f"there is no database in {home.absolute()}; change to the folder that has one, name it"
            " with BLOOD_HPO_HOME or a server with DATABASE_URL, or make one: blood-hpo run FILE"
        )


def pin(home: Path) -> None:
    """Start the server and let it outlive the processes that use it."""
    ensure_running(home)
    _marker(_cluster(home), "pinned").touch()


def stop(home: Path) -> bool:
    """Stop the server now and unpin it, whoever uses it; False if it was not running."""
    cluster = _cluster(home)
    if not cluster.folder.exists():
        return False
    with _turn(cluster):
        _marker(cluster, "pinned").unlink(missing_ok=True)
        _marker(cluster, "stopped").touch()
        return cluster.stop()


def revive(home: Path) -> bool:
    """Start the server again if it has died; False if it runs, was stopped, or cannot start yet."""
    cluster = _cluster(home)
    with contextlib.suppress(DatabaseError):  # what its disk lacks, say; who waits for it says so
        if exists(home) and not (_marker(cluster, "stopped").exists() or cluster.is_running()):
            ensure_running(home)
            return True
    return False


def is_running(home: Path) -> bool:
    """Whether the server runs; asking does not start it."""
    return _cluster(home).is_running()


def is_pinned(home: Path) -> bool:
    """Whether the server outlives the processes that use it."""
    return _marker(_cluster(home), "pinned").exists()


def release(home: Path) -> None:
    """Stop using the server; the last user stops it. The end of the process does the same."""
    cluster = _cluster(home)
    if cluster.folder not in _held:
        return
    with _turn(cluster):
        if mine := _held.pop(cluster.folder, None):  # or another thread has been quicker
            mine.close()
        with _open(_marker(cluster, "users")) as file:
            if _locked(file) and not _marker(cluster, "pinned").exists():
                cluster.stop()


def release_at_exit(home: Path) -> None:
    """Release it, whatever else is wrong."""
    with contextlib.suppress(BloodHpoError, OSError, KeyboardInterrupt):
        release(home)


def _cluster(home: Path) -> Cluster:
    return Cluster(home / "postgres")


def _marker(cluster: Cluster, name: str) -> Path:
    return cluster.folder.with_name(f"postgres.{name}")


def _open(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # who can read a file can lock it
        return path.open("ab")
    except OSError as error:
        raise DatabaseError(
            f"{path} cannot be written ({error.strerror}); "
            "set BLOOD_HPO_HOME to a folder that you may write to"
        ) from error


@contextlib.contextmanager
def _turn(cluster: Cluster) -> Iterator[None]:
    """Be the only process that starts or stops this server."""
    with _open(_marker(cluster, "turn")) as file:
        deadline = time.monotonic() + _TURN_SECONDS
        while not _locked(file):
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"another process has been starting or stopping {cluster.folder} "
                    f"for {_TURN_SECONDS:.0f} s; end it and try again"
                )
            time.sleep(0.02)
        yield


def _locked(file: IO[bytes]) -> bool:
    """Lock a file, unless somebody holds it."""
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _hold(cluster: Cluster, home: Path) -> None:
    if cluster.folder not in _held:
        file = _open(_marker(cluster, "users"))
        fcntl.flock(file, fcntl.LOCK_SH)
        _held[cluster.folder] = file
        atexit.register(release_at_exit, home)


def _accepts_connections(cluster: Cluster) -> bool:
    import psycopg2

    with contextlib.suppress(psycopg2.OperationalError):
        _connect(cluster, DATABASE).close()
        return True
    return False


def _create_database(cluster: Cluster) -> str:
    """Create the database unless it is there; why that could not be done."""
    import psycopg2

    try:
        connection = _connect(cluster, SUPERUSER)
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg2.errors.DuplicateDatabase:
        pass
    except psycopg2.Error as error:
        return " ".join(str(error).split())
    return ""


def _connect(cluster: Cluster, database: str) -> "Connection":
    import psycopg2

    place = {"host": str(cluster.socket_folder), "port": 5432, "dbname": database}
    return psycopg2.connect(**place, user=SUPERUSER, connect_timeout=30, options="")
