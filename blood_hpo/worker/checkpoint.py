"""Checkpoints of running trials, so that a retried trial goes on from its last saved epoch.

A checkpoint belongs to a training, not to a trial: a retry has a new number. Its name holds all
that its contents follow from: study file, data set, program and configuration. It is an
optimisation only. Where it cannot be reached or read the trial starts afresh and, being seeded,
gives the same result.
"""

import contextlib
import hashlib
import logging
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from blood_hpo import __version__
from blood_hpo.store.studies import SharedStudy

log = logging.getLogger(__name__)


class Checkpoint:
    """The checkpoint file of one training of a study."""

    def __init__(self, home: Path, study: SharedStudy, identity: str) -> None:
        """Name the file.

        Args:
            home: The program's home folder.
            study: The study that is trained for.
            identity: Distinct for each training of the study.
        """
        basis = f"{study.fingerprint} {study.data['sha256']} {__version__}"
        origin = hashlib.sha256(basis.encode()).hexdigest()[:16]
        self.path = folder(home, study.name) / f"{origin}-{identity}.npz"
        self._refused = False

    def save(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> bool:
        """Replace the checkpoint at once; False if the disk refuses, said the first time."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(
                dir=self.path.parent, prefix=f"{self.path.stem}-", suffix=".part"
            )
        except OSError as error:
            return self._no(error)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
            Path(name).replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            return self._no(error)
        return True

    def _no(self, error: OSError) -> bool:
        if not self._refused:
            log.warning("no checkpoint (%s); if interrupted, the trial starts afresh", error)
        self._refused = True
        return False

    def load(self) -> dict[str, npt.NDArray[np.generic]] | None:
        """The saved arrays, or None where there is no readable checkpoint."""
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            log.warning("checkpoint %s cannot be read (%s); starting afresh", self.path, error)
            return None

    def discard(self) -> None:
        """Remove the checkpoint of a trial that has ended, and what a killed writer left of it."""
        try:
            for path in (self.path, *self.path.parent.glob(f"{self.path.stem}-*.part")):
                path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("checkpoint %s cannot be removed: %s", self.path, error)


def folder(home: Path, study: str) -> Path:
    """Where the checkpoints of a study are."""
    return home / "checkpoints" / study
