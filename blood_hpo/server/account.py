"""Which account the embedded server runs under, and the one door to it, which only that may open.

PostgreSQL refuses to be root.
"""

import hashlib
import logging
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blood_hpo.errors import DatabaseError

_LONGEST: Final = 80  # macOS allows 104 bytes for the whole path of a socket
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """A user and its main group, as numbers."""

    uid: int
    gid: int


def server_account(folder: Path) -> Account | None:
    """The account for a server on this folder, or None for the account of this process.

    Root runs the server as the owner of the folder; where that is root too, as ``nobody``, which
    every system should have: else a DatabaseError.
    """
    if os.geteuid() != 0:
        return None
    owner = folder.stat()
    if owner.st_uid:
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise DatabaseError(
            "PostgreSQL refuses to run as root and this system has no account 'nobody'; "
            "run as an ordinary user or set DATABASE_URL to a server"
        ) from error
    return Account(nobody.pw_uid, nobody.pw_gid)


def allow_passage(path: Path) -> None:
    """Let other accounts pass through the folders above a path, without showing what is in them."""
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
            _logger.warning(
                "PostgreSQL does not run as root: other accounts may now pass through %s", folder
            )


def socket_folder(data_folder: Path) -> Path:
    """The folder for the socket: the data folder, or a short one if its path will not do.

    The same data folder always gives the same answer, so that every process finds the server.
    """
    name = os.fsencode(data_folder)
    if len(name) <= _LONGEST and b"," not in name:  # libpq splits hosts at commas
        return data_folder
    digest = hashlib.sha256(name).hexdigest()[:16]
    return Path("/tmp", f"blood-hpo-{digest}")  # noqa: S108  the same for every process


def make_private(folder: Path, account: Account | None) -> None:
    """Make a folder that only the server's account may enter, or raise a `DatabaseError`."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if account and folder.lstat().st_uid == os.geteuid():
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    found = folder.lstat()
    expected = account.uid if account else os.geteuid()
    if folder.is_symlink() or found.st_uid != expected or found.st_mode & 0o077:
        raise DatabaseError(
            f"{folder} should be private to the server's account but is not; "
            "remove it or set BLOOD_HPO_HOME to a shorter path"
        )
