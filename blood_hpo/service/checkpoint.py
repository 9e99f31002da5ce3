"""Checkpoints of running trials, so that a retried trial goes on from its last saved epoch.

A checkpoint belongs to a study's fingerprint and a configuration, not to a trial: a retry has a new
number. It is an optimisation only. Where it cannot be reached or read the trial starts afresh and,
being seeded, gives the same result.
"""

import logging
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

log = logging.getLogger(__name__)


class Checkpoint:
    """The checkpoint file of one configuration in one study."""

    def __init__(self, home: Path, study: str, fingerprint: str, config_hash: str) -> None:
        self.path = home / "checkpoints" / study / f"{fingerprint}-{config_hash}.npz"

    def save(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> bool:
        """Replace the checkpoint at once; False, with a warning, if the disk refuses."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, suffix=".part")
        except OSError as error:
            log.warning("no checkpoint: %s", error)
            return False
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
            Path(name).replace(self.path)
        except OSError as error:
            log.warning("no checkpoint: %s", error)
            Path(name).unlink(missing_ok=True)
            return False
        return True

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
        """Remove the checkpoint of a trial that has ended."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("checkpoint %s cannot be removed: %s", self.path, error)
