"""Which account the embedded server runs under: PostgreSQL refuses to be root."""

import logging
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from blood_hpo.errors import DatabaseError

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """A user and its main group, as numbers."""

    uid: int
    gid: int


def server_account(folder: Path) -> Account | None:
    """The account for a server on this folder, or None for the account of this process.

    Root runs the server as the owner of the folder; where that is root too, as ``nobody``, which
    every system has.

    Raises:
        DatabaseError: The system has no ``nobody``.
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
