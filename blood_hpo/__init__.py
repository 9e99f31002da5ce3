"""Hyperparameter optimisation as a service for blood-cell image classifiers.

``list_studies()`` and ``open_study(name)`` read the database: see `blood_hpo.database.frames`.
"""

from typing import TYPE_CHECKING

from blood_hpo.version import __version__

if TYPE_CHECKING:
    from blood_hpo.database.frames import list_studies, open_study

__all__ = ["__version__", "list_studies", "open_study"]


def __getattr__(name: str) -> object:
    """A function of `frames`, whose module is loaded when one is first asked for."""
    if name not in __all__:
        raise AttributeError(f"blood_hpo has no {name}")
    from blood_hpo.database import frames

    return getattr(frames, name)
