"""Files of trials as Optuna's artifacts, for the pages of the dashboard.

Workers and dashboard share no folder, so Optuna's own stores on disk are no use here.
"""

import io
from typing import TYPE_CHECKING, BinaryIO

from optuna.artifacts.exceptions import ArtifactNotFound

from blood_hpo.database.artefacts import by_digest
from blood_hpo.errors import StudyError

if TYPE_CHECKING:
    from sqlalchemy import Engine


class DatabaseArtefacts:
    """Optuna's artifact store over the files in the database; it only reads."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """The content of a file.

        Raises:
            ArtifactNotFound: There is none with that SHA-256.
            DatabaseError: The database cannot be reached.
        """
        content = by_digest(self._engine, artifact_id)
        if content is None:
            raise ArtifactNotFound(f"no file of any study has the SHA-256 {artifact_id}")
        return io.BytesIO(content)

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:  # noqa: ARG002
        """Refuse: files are stored with the end of their trial, or not at all.

        Raises:
            StudyError: Always.
        """
        raise StudyError("files are added by the workers alone, when a trial ends")

    def remove(self, artifact_id: str) -> None:  # noqa: ARG002
        """Refuse: files go with their study.

        Raises:
            StudyError: Always.
        """
        raise StudyError("files of a study go with it: use `blood-hpo study delete`")
