"""Files of trials, kept in the database that every machine reaches anyway.

A file is stored in pieces before the transaction that ends its trial, however slow the link, and
linked by it as Optuna links its artifacts. Its identifier is the SHA-256 of its content.
"""

import hashlib
import mimetypes

from sqlalchemy import Connection

from blood_hpo.database.statements import statement
from blood_hpo.errors import StudyError
from blood_hpo.search.optuna_private import artifact_attribute

PIECE_BYTES = 128 * 1024
"""Twice as much travels, as hexadecimal digits: a tenth of a second at 2 MB/s."""


def store(connection: Connection, study_id: int, content: bytes) -> str:
    """Store the pieces of a file that are not there yet, so that a second try goes on.

    On the connection each statement is a transaction. What comes back is the file's SHA-256.
    """
    digest = hashlib.sha256(content).hexdigest()
    file = {"study_id": study_id, "sha256": digest}
    there = set(connection.scalars(statement("stored_pieces"), file))
    for piece, first in enumerate(range(0, len(content), PIECE_BYTES)):
        if piece not in there:
            part = content[first : first + PIECE_BYTES]
            row = {**file, "piece": piece, "content": part}
            connection.execute(statement("new_piece"), row)
    return digest


def link(
    connection: Connection, study_id: int, trial_id: int | None, name: str, digest: str
) -> None:
    """Give a stored file its name in a study, and link it to its trial, if any, as Optuna does.

    The name of a trial's file begins with the number of the trial and a slash; the digest is the
    SHA-256 of the file. A StudyError where the database does not hold it whole, or another file has
    the name.
    """
    file = {"study_id": study_id, "name": name, "sha256": digest}
    if not connection.execute(statement("link_file"), file).rowcount:
        raise StudyError(f"file {name!r} was removed before it was linked, or is another already")
    if trial_id is not None:
        shown = name.partition("/")[2]
        kind, encoding = mimetypes.guess_type(shown)
        row = artifact_attribute(
            digest, filename=shown, mimetype=kind or "application/octet-stream", encoding=encoding
        )
        connection.execute(statement("link_artifact"), {**row, "trial_id": trial_id})
