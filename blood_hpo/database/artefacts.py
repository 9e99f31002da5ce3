"""Files that trials left in the database: models, predictions, and what they were made of."""

import hashlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, Row

from blood_hpo.database.failures import database_errors
from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_BYTES = 2**29
"""Of the arrays of a file, unpacked: far more than predictions for the whole test split take."""


def listing(engine: Engine, study: str) -> Sequence[Row[Any]]:
    """The files of a study: name, sha256, and size in bytes.

    The name of one that belongs to a trial begins with the number of the trial and a slash.
    """
    with database_errors(engine.url), engine.connect() as connection:
        return connection.execute(statement("files"), {"study": study}).all()


def load(engine: Engine, study: str, name: str) -> bytes:
    """The content of a file; a StudyError where there is none, or its checksum is another."""
    found = next((one for one in listing(engine, study) if one.name == name), None)
    if found is None:
        raise StudyError(
            f"study {study!r} has no file {name!r}; `blood-hpo trial files {study}` lists those"
            " that it has"
        )
    content = by_digest(engine, found.sha256)
    if content is None:
        raise StudyError(
            f"file {name!r} of study {study!r} has been changed since it was written (its SHA-256"
            f" is not {found.sha256[:12]}…); restore the database from a backup"
        )
    return content


def by_digest(engine: Engine, sha256: str) -> bytes | None:
    """The content of a file of any study by its checksum; None if there is none with it."""
    with database_errors(engine.url), engine.connect() as connection:
        found = connection.scalar(statement("file_by_digest"), {"sha256": sha256})
    content = bytes(found or b"")
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def load_arrays(engine: Engine, study: str, name: str) -> "dict[str, NDArray[Any]]":
    """The arrays of an ``.npz`` file by name, as `load`; nothing in it is ever unpickled."""
    import numpy as np

    with np.load(io.BytesIO(load(engine, study, name)), allow_pickle=False) as archive:
        if sum(one.file_size for one in archive.zip.infolist()) > LARGEST_BYTES:
            raise StudyError(f"file {name!r} of study {study!r} unpacks to more than 512 MB")
        return {key: archive[key] for key in archive.files}
