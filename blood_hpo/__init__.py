"""Hyperparameter optimisation as a service for blood-cell image classifiers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame

    from blood_hpo.database.frames import Study

__version__ = "0.1.0"


def list_studies() -> "DataFrame":
    """One row a study, read-only: what it searches, on which data, how far it is.

    Raises:
        DatabaseError: The database cannot be reached, or its schema is another version's.
    """
    from blood_hpo.database import frames

    return frames.list_studies()


def open_study(name: str) -> "Study":
    """A study as pandas frames, read-only: see :class:`blood_hpo.database.frames.Study`.

    Raises:
        StudyError: There is no study of that name.
        DatabaseError: The database cannot be reached, or its schema is another version's.
    """
    from blood_hpo.database import frames

    return frames.open_study(name)
