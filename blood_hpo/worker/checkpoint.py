"""Checkpoints of running trials, so that a retried trial goes on from its last saved epoch.

A checkpoint belongs to a training, not to a trial: a retry has a new number. Its name holds all
that its contents follow from: study file, data set, program and configuration. It is an
optimisation only. Where it cannot be reached or read the trial starts afresh and, being seeded,
gives the same result.
"""

import contextlib
import hashlib
import logging
import secrets
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from blood_hpo.store.studies import SharedStudy
from blood_hpo.version import __version__

log = logging.getLogger(__name__)


class Checkpoint:
    """The checkpoint file of one training of a study, which the identity tells from its others."""

    def __init__(self, home: Path, study: SharedStudy, identity: str) -> None:
        basis = f"{study.fingerprint} {study.data['sha256']} {__version__}"
        origin = hashlib.sha256(basis.encode()).hexdigest()[:16]
        self.path = folder(home, study.name) / f"{origin}-{identity}.npz"
        self._refused = False

    def save(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Replace the checkpoint at once; that the disk refuses is said the first time."""
        part = self.path.with_name(f"{self.path.stem}-{secrets.token_hex(8)}.part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            part.touch(mode=0o600)
            with part.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
            part.replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            if not self._refused:
                log.warning("no checkpoint (%s); if interrupted, the trial starts afresh", error)
            self._refused = True

    def load(self) -> dict[str, npt.NDArray[np.generic]] | None:
        """The saved arrays, or None where there is no readable checkpoint."""
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except FileNotFoundError:
            return None
        except Exception as error:  # for damaged bytes numpy and zipfile raise a dozen kinds
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
