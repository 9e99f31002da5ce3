"""Where the embedded server's socket is: the one door to it, which only its account may open."""

import hashlib
import os
from pathlib import Path
from typing import Final

from blood_hpo.errors import DatabaseError
from blood_hpo.server.account import Account

_LONGEST: Final = 80  # macOS allows 104 bytes for the whole path of a socket


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
    """Make a folder that only the server's account may enter, and make sure that it is.

    Raises:
        DatabaseError: Somebody else has made it before.
    """
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
