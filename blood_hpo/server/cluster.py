"""One PostgreSQL 18 server on a local folder.

It listens on a Unix socket alone, in a folder that only its account may enter: no port, no
password. Its settings are on its command line, so that nothing in the data folder goes out of date.
"""

import contextlib
import os
import shlex
import shutil
import time
from pathlib import Path
from typing import Final

from blood_hpo.errors import DatabaseError
from blood_hpo.server.account import (
    Account,
    allow_passage,
    make_private,
    server_account,
    socket_folder,
)
from blood_hpo.server.programs import MAJOR, complaint, program, run

SUPERUSER: Final = "postgres"
MAX_CONNECTIONS: Final = 100
PATIENCE: Final = 60  # seconds to start, recover from a crash or stop
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "max_connections": str(MAX_CONNECTIONS),
    "timezone": "UTC",  # Optuna stores naive timestamps
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "jit": "off",  # compiling a view takes longer than running it
    "io_method": "sync",  # three processes fewer, on a machine whose cores train
    "max_logical_replication_workers": "0",
    "max_notify_queue_pages": "64",  # anyone may fill the queue, which is on the disk; unused here
}


class Cluster:
    """The server on one data folder, which need not exist yet; one at a time starts or stops it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.socket_folder = socket_folder(self.folder)
        self._log = self.folder / "server.log"
        self._socket_option = f'--unix_socket_directories="{self.socket_folder}"'

    def initialise(self) -> None:
        """Make the data folder, never half of it, and guard the socket's; else a DatabaseError."""
        try:
            if not self.folder.exists() or not any(self.folder.iterdir()):
                self._make()
            found = (self.folder / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise DatabaseError(
                f"{self.folder} cannot be used as a data folder ({error.strerror}); "
                "set BLOOD_HPO_HOME to a folder on a disk with room that you may write to"
            ) from error
        if found != str(MAJOR):
            raise DatabaseError(
                f"{self.folder} holds PostgreSQL {found}, this program brings PostgreSQL {MAJOR}; "
                "move the folder away or set BLOOD_HPO_HOME to another place"
            )
        make_private(self.socket_folder, self._account())

    def start(self) -> None:
        """Start the server and wait until it takes connections; else a DatabaseError says why."""
        self._open_ways()
        self._discard_stale_locks()
        deadline = time.monotonic() + PATIENCE
        while not self._try_start():
            # What a killed server left behind: its last processes go within moments.
            if "is still in use" not in self._reason() or time.monotonic() > deadline:
                raise DatabaseError(
                    f"the embedded PostgreSQL does not start: {self._reason()}; "
                    f"its log is {self._log}"
                )
            time.sleep(0.2)

    def stop(self) -> bool:
        """Stop the server or raise a DatabaseError; False where it was not running."""
        if not self.is_running():
            return False
        problem = self._pg_ctl("stop", "--mode=fast")
        if problem and self.is_running():  # told while it recovers from a crash, it never ends
            problem = self._pg_ctl("stop", "--mode=immediate")
        if problem and self.is_running():
            raise DatabaseError(
                f"the embedded PostgreSQL does not stop: {problem}; its log is {self._log}"
            )
        with contextlib.suppress(OSError):  # it is the data folder, or in use
            self.socket_folder.rmdir()
        return True

    def is_running(self) -> bool:
        """Whether the process named in ``postmaster.pid`` is the server of this very folder."""
        import psutil

        try:
            pid = int((self.folder / "postmaster.pid").read_text().split(maxsplit=1)[0])
            return self._socket_option in psutil.Process(pid).cmdline()
        except (OSError, ValueError, IndexError, psutil.Error):
            return False

    def _make(self) -> None:
        unfinished = self.folder.with_name(f"{self.folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(mode=0o700)
            if account := self._account():
                os.chown(unfinished, account.uid, account.gid)
            self._open_ways()
            self._initdb(unfinished)
            unfinished.rename(self.folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _initdb(self, folder: Path) -> None:
        problem = run(
            "initdb",
            *("--pgdata=.", f"--username={SUPERUSER}", "--auth=trust", "--encoding=UTF8"),
            # The same sorting and the same language of messages on every machine.
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            folder=folder,
            account=self._account(),
        )
        if problem is not None:
            raise DatabaseError(
                f"the embedded PostgreSQL cannot make its folder {self.folder}: {problem}; "
                "correct that or set DATABASE_URL to a server"
            )

    def _try_start(self) -> bool:
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        options = shlex.join([*settings, self._socket_option])
        return self._pg_ctl("start", "-l", self._log.name, "-o", options) is None

    def _pg_ctl(self, action: str, *arguments: str) -> str | None:
        # The data folder is "." because pg_ctl puts its name into a shell command as it is.
        words = (action, "-D", ".", "--wait", f"--timeout={PATIENCE}", *arguments)
        return run("pg_ctl", *words, folder=self.folder, account=self._account())

    def _reason(self) -> str:
        with contextlib.suppress(OSError):
            return complaint(self._log.read_text(errors="replace")[-4000:])
        return "it wrote no log"

    def _discard_stale_locks(self) -> None:
        """Remove what a killed server left: by now its number may be another process's."""
        if not self.is_running():
            (self.folder / "postmaster.pid").unlink(missing_ok=True)
            (self.socket_folder / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _account(self) -> Account | None:
        return server_account(self.folder if self.folder.exists() else self.folder.parent)

    def _open_ways(self) -> None:
        if self._account():
            for path in (self.folder, program("postgres").resolve()):
                allow_passage(path)
